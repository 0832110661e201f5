import type { JudgedMinute } from '../minute-verdict.js';

/** With what the bars were compared: the exchange's REST interface, or its archive of daily files. */
export type ComparedWith = 'rest' | 'archive';

/** What `verify` found, minute by minute; the newest verdict of a minute stands. */
export interface Reconciliations {
  /** @throws ConfigError when the schema has no place for it; UnreachableError when the warehouse does not answer. */
  check(): Promise<void>;
  /** All of these minutes in one statement. */
  save(found: {
    readonly source: string;
    readonly symbol: string;
    readonly against: ComparedWith;
    readonly minutes: readonly JudgedMinute[];
  }): Promise<void>;
}
