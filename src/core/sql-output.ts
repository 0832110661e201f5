import { UsageError } from './errors.js';

/** Where the rows of a statement go, as a person says it. */
export interface SqlTarget {
  /** `stdout`, `postgres:[schema.]table` or `hdfs:/path`. */
  readonly to: string;
  /** Columns that make a row; one with the same key is updated. */
  readonly key: readonly string[];
  /** Columns whose values name a partition; those that the result has rows for are replaced. */
  readonly partitionBy: readonly string[];
  /** Replaces whatever lies at an HDFS path. */
  readonly overwrite: boolean;
}

/** The same, checked, as the job gets it. */
export type SqlOutput =
  | { readonly kind: 'stdout' }
  | {
      readonly kind: 'postgres';
      readonly schema: string;
      readonly table: string;
      readonly key: readonly string[];
      readonly partitionBy: readonly string[];
    }
  | {
      readonly kind: 'hdfs';
      readonly path: string;
      readonly partitionBy: readonly string[];
      readonly overwrite: boolean;
    };

export const stdoutTarget: SqlTarget = { to: 'stdout', key: [], partitionBy: [], overwrite: false };

/** What belongs to cryptopipe, or to the servers. */
export interface KeptPlaces {
  /** `hdfs://host:port` */
  readonly hdfsRoot: string;
  /** Addresses of folders: nothing may be written into, over or around them. */
  readonly folders: readonly string[];
}

function requireColumns(columns: readonly string[], option: string): void {
  const wrong = columns.find((column) => !/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(column));
  if (wrong !== undefined) throw new UsageError(`${option}: ${wrong || '(nothing)'} is no name of a column`);
}

const refuse = (given: boolean, what: string, why: string): void => {
  if (given) throw new UsageError(`${what} does not go together: ${why}`);
};

function toPostgres(name: string, { key, partitionBy, overwrite }: SqlTarget): SqlOutput {
  const [, schema = 'public', table = ''] =
    /^(?:([a-z_][a-z0-9_]{0,62})\.)?([a-z_][a-z0-9_]{0,62})$/.exec(name) ?? [];
  if (table === '')
    throw new UsageError(`postgres:${name} names no table`, {
      nextStep: 'Write postgres:table or postgres:schema.table, in lower case.',
    });
  if (/^(crypto|information_schema|pg_.*)$/.test(schema))
    throw new UsageError(`The schema ${schema} is not written to from outside`, {
      nextStep: 'Choose another schema, like postgres:reports.daily; a missing one is made.',
    });
  refuse(overwrite, '--overwrite and postgres:', 'say which rows are replaced, by --key or --partition-by');
  if (key.length > 0 === partitionBy.length > 0)
    throw new UsageError(`postgres:${name} wants either --key or --partition-by`, {
      nextStep: '--key updates the rows that are there, --partition-by replaces them: both may run twice.',
    });
  return { kind: 'postgres', schema, table, key, partitionBy };
}

const isWithin = (inner: string, outer: string): boolean => `${inner}/`.startsWith(`${outer}/`);

function toHdfs(place: string, target: SqlTarget, kept: KeptPlaces): SqlOutput {
  const { key, partitionBy, overwrite } = target;
  const address = /^\/(?!\/)/.test(place) ? `${kept.hdfsRoot}${place}` : `hdfs:${place}`;
  const [, path = ''] = /^hdfs:\/\/[^/\s]+((?:\/[A-Za-z0-9._=+-]+)+)\/?$/.exec(address) ?? [];
  if (path === '' || /\/\.{1,2}(\/|$)/.test(path))
    throw new UsageError(`hdfs:${place} is no folder that can be written`, {
      nextStep: 'Write hdfs:/folder/name, or hdfs://host:port/folder/name.',
    });
  const taken = kept.folders.find((folder) => {
    const own = new URL(folder).pathname.replace(/\/$/, '');
    return isWithin(path, own) || isWithin(own, path);
  });
  if (taken !== undefined)
    throw new UsageError(`hdfs:${place} would write where cryptopipe keeps its own files (${taken})`, {
      nextStep: 'Choose another folder, like hdfs:/reports/daily.',
    });
  refuse(key.length > 0, '--key and hdfs:', 'files have no keys; use --partition-by');
  refuse(
    overwrite && partitionBy.length > 0,
    '--overwrite and --partition-by',
    'partitions are replaced anyway',
  );
  return { kind: 'hdfs', path: address.replace(/\/$/, ''), partitionBy, overwrite };
}

/** @throws UsageError for a target that cannot be, or whose parts contradict each other. */
export function sqlOutput(target: SqlTarget, kept: KeptPlaces): SqlOutput {
  requireColumns(target.key, '--key');
  requireColumns(target.partitionBy, '--partition-by');
  const [, kind, rest = ''] = /^(postgres|hdfs):(.*)$/.exec(target.to) ?? [];
  if (kind === 'postgres') return toPostgres(rest, target);
  if (kind === 'hdfs') return toHdfs(rest, target, kept);
  if (target.to !== 'stdout')
    throw new UsageError(`${target.to} is no place for a result`, {
      nextStep: 'Write stdout, postgres:[schema.]table or hdfs:/path.',
    });
  const { key, partitionBy, overwrite } = target;
  refuse(
    key.length + partitionBy.length > 0 || overwrite,
    'stdout and --key, --partition-by or --overwrite',
    'a printed result replaces nothing',
  );
  return { kind: 'stdout' };
}
