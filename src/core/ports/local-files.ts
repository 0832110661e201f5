import type { StoredFile } from '../submission.js';

/** Files of the computer that the command runs on. */
export interface LocalFiles {
  /** A whole file, ready to be stored under its hash. @throws UsageError where it cannot be read. */
  load(path: string): Promise<StoredFile>;
}
