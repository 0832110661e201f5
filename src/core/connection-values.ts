import { ConfigError } from './errors.js';
import type { ParameterValues } from './job-parameters.js';
import type { KeptPlaces } from './sql-output.js';

/** Where the servers are, as the cluster sees them. */
export interface ClusterPlaces {
  readonly kafkaServers: string;
  readonly topic: string;
  readonly hdfsRoot: string;
  readonly rawPath: string;
  readonly cleanPath: string;
  readonly rejectedPath: string;
  readonly jdbcUrl: string;
  readonly postgresUser: string;
  /** libpq's words, and a file on the workers; undefined leaves it to libpq. */
  readonly postgresTls?: { readonly mode: string | undefined; readonly rootCertificate: string | undefined };
}

/** Host, port and database of `jdbc:postgresql://host[:port]/database[?…]`. */
export function parseJdbcUrl(url: string): {
  readonly host: string;
  readonly port: number;
  readonly database: string;
} {
  const [, host, port, database] =
    /^jdbc:postgresql:\/\/(\[[0-9a-fA-F:]+\]|[^/:]+)(?::(\d+))?\/([^?]+)/.exec(url) ?? [];
  if (host === undefined || database === undefined)
    throw new ConfigError(`POSTGRES_JDBC_URL ${url} is not jdbc:postgresql://host:port/database`, {
      nextStep: 'Name one host; the job connects to the first and only one.',
    });
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port ?? 5432), database };
}

/** The parameters of a JDBC address, by their name. */
export const jdbcParameters = (url: string): ReadonlyMap<string, string> =>
  new Map(new URLSearchParams(/\?(.*)$/s.exec(url)?.[1] ?? ''));

/** What every template knows without declaring it, and what `${name}` in a manifest's default stands for. */
export function connectionValues(places: ClusterPlaces): ParameterValues {
  const { host, port, database } = parseJdbcUrl(places.jdbcUrl);
  return {
    kafka_servers: places.kafkaServers,
    topic: places.topic,
    hdfs_root: places.hdfsRoot,
    raw_path: places.rawPath,
    clean_path: places.cleanPath,
    rejected_path: places.rejectedPath,
    postgres_host: host,
    postgres_port: port,
    postgres_database: database,
    postgres_user: places.postgresUser,
    postgres_sslmode: places.postgresTls?.mode ?? '',
    postgres_sslrootcert: places.postgresTls?.rootCertificate ?? '',
  };
}

/** Where no result of a query may go: the lake, and what cryptopipe itself keeps in HDFS. */
export function keptPlaces(connection: ParameterValues): KeptPlaces {
  const hdfsRoot = String(connection['hdfs_root']);
  const lake = ['raw_path', 'clean_path', 'rejected_path'].map((name) => String(connection[name]));
  return { hdfsRoot, folders: [...lake, `${hdfsRoot}/checkpoints`, `${hdfsRoot}/jobs`] };
}
