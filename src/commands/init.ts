import type { Schema } from '../core/ports/bars.js';
import type { FileStore } from '../core/ports/files.js';
import type { Topics } from '../core/ports/topic.js';

export interface InitPorts {
  readonly topics: Topics;
  readonly schema: Schema;
  readonly files: FileStore;
}

/** What `init` makes; one of them can be asked for alone. */
export const initParts = ['topics', 'tables', 'folders'] as const;
export type InitPart = (typeof initParts)[number];

export interface InitOptions {
  /** Absolute paths in the lake's file system, without scheme and host. */
  readonly folders: readonly string[];
  /** Only say what is missing. */
  readonly isDryRun: boolean;
  /** This part alone; the system of another one is not even asked. */
  readonly only?: InitPart | undefined;
  /** What the role that can only read logs in with; undefined leaves it as it is. */
  readonly readerPassword?: string | undefined;
}

export interface InitReport {
  readonly isDryRun: boolean;
  /** One line a topic: what it was found to be, and what was done. */
  readonly topics: readonly string[];
  /** Migrations that were applied now, or with a dry run those that would be. */
  readonly migrations: readonly string[];
  /** The newest migration that the database has. */
  readonly schemaVersion: string | undefined;
  readonly folders: readonly { readonly path: string; readonly isNew: boolean }[];
  /** True where the role that can only read was given its password. */
  readonly isReaderLetIn: boolean;
}

/** Makes the topics, the schema and the folders that are missing; what is there stays as it is. */
export async function init({ topics, schema, files }: InitPorts, options: InitOptions): Promise<InitReport> {
  const { isDryRun, only } = options;
  const isWanted = (part: InitPart): boolean => only === undefined || only === part;
  return {
    isDryRun,
    topics: isWanted('topics') ? await topics.ensure({ isDryRun }) : [],
    ...(isWanted('tables') ? await makeTables(schema, options) : noTables),
    folders: isWanted('folders') ? await makeFolders(files, options) : [],
  };
}

type TablesReport = Pick<InitReport, 'migrations' | 'schemaVersion' | 'isReaderLetIn'>;

const noTables: TablesReport = { migrations: [], schemaVersion: undefined, isReaderLetIn: false };

async function makeTables(schema: Schema, { isDryRun, readerPassword }: InitOptions): Promise<TablesReport> {
  const migrations = isDryRun ? await schema.pending() : await schema.migrate();
  const schemaVersion = await schema.version();
  const isReaderLetIn = readerPassword !== undefined && !isDryRun;
  if (isReaderLetIn) await schema.letReaderIn(readerPassword);
  return { migrations, schemaVersion, isReaderLetIn };
}

async function makeFolders(
  files: FileStore,
  { folders, isDryRun }: InitOptions,
): Promise<InitReport['folders']> {
  const made: { path: string; isNew: boolean }[] = [];
  for (const path of folders) {
    const isNew = (await files.stat(path)) === undefined;
    if (isNew && !isDryRun) await files.makeFolder(path);
    made.push({ path, isNew });
  }
  return made;
}
