import { jdbcParameters, parseJdbcUrl } from './core/connection-values.js';
import { readBrokerList } from './core/broker-list.js';
import type { Environment } from './config-sources.js';
import {
  bracketed,
  canBeOneServer,
  isHere,
  isSameHost,
  placeOf,
  shownPlace,
  type Place,
} from './core/place.js';
import { basePorts, type PortName, type Ports } from './core/settings.js';

// A server has two addresses: the command line's and the jobs'. Where one is set, the other follows it. In Docker the two differ
// by design, since the jobs run within Docker's network; there only what is no address, such as a database's name, is shared.

/** Addresses of settings that were not given, which setting each follows, and what cannot be true of one server. */
export interface Followed {
  readonly values: Readonly<Record<string, string>>;
  readonly sources: Readonly<Record<string, string>>;
  readonly problems: readonly string[];
}

interface Stack {
  readonly ports: Ports;
  readonly isDocker: boolean;
}

/** Every address of the servers, of what was given and of what follows. What cannot be read is left to its own check. */
export function followAddresses(given: Environment, stack: Stack): Followed {
  const parts = [postgres, postgresTls, kafka, hdfs, spark].map((part) => part(given, stack));
  const missing = parts.flatMap(({ values }) =>
    Object.entries(values).filter(([name]) => given[name] === undefined),
  );
  return {
    values: Object.fromEntries(missing.map(([name, [value]]) => [name, value])),
    sources: Object.fromEntries(
      missing.flatMap(([name, [, source]]) => (source === undefined ? [] : [[name, source]])),
    ),
    problems: parts.flatMap(({ problems }) => problems),
  };
}

/** Values by their setting, each with the setting that it comes from; undefined means the default. */
interface Part {
  readonly values: Readonly<Record<string, readonly [value: string, source?: string | undefined]>>;
  readonly problems: readonly string[];
}

function postgres(given: Environment, { ports, isDocker }: Stack): Part {
  const { PGHOST, PGPORT, PGDATABASE, POSTGRES_JDBC_URL } = given;
  const job = orUndefined(() => parseJdbcUrl(POSTGRES_JDBC_URL ?? ''));
  const ofJob = job === undefined ? undefined : 'POSTGRES_JDBC_URL';
  const [address, from] = isDocker ? [undefined, undefined] : [job, ofJob];
  const host = PGHOST ?? address?.host ?? 'localhost';
  const port = PGPORT ?? (address === undefined ? portAt(host, 'postgres', ports) : String(address.port));
  const database = PGDATABASE ?? job?.database ?? 'crypto';
  // A folder holds PostgreSQL's socket on this computer.
  const reached = host.startsWith('/') ? 'localhost' : bracketed(host);
  const jobAddress = isDocker ? 'postgres:5432' : `${reached}:${port}`;
  const named = ['PGHOST', 'PGPORT', 'PGDATABASE'].find((name) => given[name] !== undefined);
  return {
    values: {
      PGHOST: [host, from],
      PGPORT: [port, from],
      PGDATABASE: [database, ofJob],
      POSTGRES_JDBC_URL: [`jdbc:postgresql://${jobAddress}/${database}`, named],
    },
    problems: [
      ...(address === undefined || canBeOneServer({ host: reached, port }, placeOfJob(address))
        ? []
        : [
            contradiction(
              [PGHOST === undefined ? 'PGPORT' : 'PGHOST', { host: reached, port }],
              ['POSTGRES_JDBC_URL', placeOfJob(address)],
            ),
          ]),
      ...(job === undefined || database === job.database
        ? []
        : [`PGDATABASE is ${database} and POSTGRES_JDBC_URL has the database ${job.database}; ${leaveOne}`]),
    ],
  };
}

/** Of encryption there is one kind; only the files with certificates differ between the computers. */
function postgresTls(
  { PGSSLMODE, PGSSLROOTCERT, POSTGRES_JDBC_URL }: Environment,
  { isDocker }: Stack,
): Part {
  const parameters = jdbcParameters(POSTGRES_JDBC_URL ?? '');
  const [mode, root] = [parameters.get('sslmode'), parameters.get('sslrootcert')];
  const ofJob = isDocker ? undefined : mode;
  const used = PGSSLMODE ?? ofJob;
  const certificate = PGSSLROOTCERT ?? (isDocker ? undefined : root);
  return {
    values: {
      ...(ofJob === undefined ? {} : { PGSSLMODE: [ofJob, 'POSTGRES_JDBC_URL'] as const }),
      ...(isDocker || root === undefined ? {} : { PGSSLROOTCERT: [root, 'POSTGRES_JDBC_URL'] as const }),
    },
    problems: [
      ...(isDocker || PGSSLMODE === undefined || mode === undefined || PGSSLMODE === mode
        ? []
        : [`PGSSLMODE is ${PGSSLMODE} and POSTGRES_JDBC_URL has the sslmode ${mode}; ${leaveOne}`]),
      ...(used?.startsWith('verify-') === true && certificate === undefined
        ? [`PGSSLROOTCERT: is needed by PGSSLMODE ${used}; name the certificate of the authority, or system`]
        : []),
    ],
  };
}

const placeOfJob = ({ host, port }: { readonly host: string; readonly port: number }): Place => ({
  host: bracketed(host),
  port: String(port),
});

function kafka(given: Environment, { ports, isDocker }: Stack): Part {
  const { KAFKA_BOOTSTRAP_SERVERS: own, CRYPTOPIPE_CLUSTER_KAFKA: job } = given;
  const standard = `localhost:${ports.kafka}`;
  return {
    values: {
      KAFKA_BOOTSTRAP_SERVERS: isDocker || job === undefined ? [standard] : [job, 'CRYPTOPIPE_CLUSTER_KAFKA'],
      CRYPTOPIPE_CLUSTER_KAFKA: isDocker
        ? ['kafka:9092']
        : [own ?? standard, own === undefined ? undefined : 'KAFKA_BOOTSTRAP_SERVERS'],
    },
    problems: isDocker ? [] : differentBrokers(own, job),
  };
}

/** Two lists name one cluster where they share a broker, or where the command line's are ends of tunnels. */
function differentBrokers(own: string | undefined, job: string | undefined): string[] {
  const [ownPlaces, jobPlaces] = [own, job].map(brokerPlaces);
  if (ownPlaces === undefined || jobPlaces === undefined) return [];
  const pairs = ownPlaces.flatMap((mine) => jobPlaces.map((theirs) => [mine, theirs] as const));
  const [first] = pairs;
  if (first === undefined || pairs.some(([mine, theirs]) => canBeOneServer(mine, theirs))) return [];
  return [contradiction(['KAFKA_BOOTSTRAP_SERVERS', first[0]], ['CRYPTOPIPE_CLUSTER_KAFKA', first[1]])];
}

function brokerPlaces(text: string | undefined): readonly Place[] | undefined {
  const read = text === undefined ? undefined : readBrokerList(text);
  if (read === undefined || 'problem' in read) return undefined;
  return read.brokers.map((broker) => placeOf(`kafka://${broker}`) ?? { host: broker, port: '' });
}

function hdfs(given: Environment, { ports, isDocker }: Stack): Part {
  const { WEBHDFS_URL, HDFS_RAW_PATH, HDFS_CLEAN_PATH } = given;
  const [raw, clean] = [HDFS_RAW_PATH, HDFS_CLEAN_PATH].map(rootOf);
  const web = WEBHDFS_URL === undefined ? undefined : placeOf(WEBHDFS_URL);
  const [root, ofRoot] =
    raw === undefined ? [clean, clean && 'HDFS_CLEAN_PATH'] : [raw, 'HDFS_RAW_PATH' as const];
  const nameNode = web === undefined || isDocker || isHere(web.host) ? 'localhost' : web.host;
  const standard = isDocker ? 'namenode:8020' : `${nameNode}:${portAt(nameNode, 'nameNodeRpc', ports)}`;
  const jobRoot = `hdfs://${root ?? standard}`;
  const source = ofRoot ?? (web === undefined || isDocker ? undefined : 'WEBHDFS_URL');
  const job = root === undefined || isDocker ? undefined : placeOf(`hdfs://${root}`);
  const webHost = job?.host ?? 'localhost';
  return {
    values: {
      WEBHDFS_URL: [`http://${webHost}:${portAt(webHost, 'nameNodeHttp', ports)}`, job && ofRoot],
      HDFS_RAW_PATH: [`${jobRoot}/datalake/raw/crypto`, source],
      HDFS_CLEAN_PATH: [`${jobRoot}/datalake/clean/crypto`, source],
    },
    problems: [
      ...(raw === undefined || clean === undefined || raw === clean
        ? []
        : [
            `HDFS_RAW_PATH is on hdfs://${raw} and HDFS_CLEAN_PATH on hdfs://${clean}; both are folders of one file system`,
          ]),
      ...(web === undefined || job === undefined || !areTwoNameNodes(web, job, ports)
        ? []
        : [contradiction(['WEBHDFS_URL', web], [ofRoot ?? 'HDFS_RAW_PATH', job])]),
    ],
  };
}

/** False where nothing can be said: without a port the name may be of several NameNodes; another port here is a tunnel's end. */
const areTwoNameNodes = (web: Place, job: Place, ports: Ports): boolean =>
  job.port !== '' &&
  !isSameHost(web.host, job.host) &&
  !(isHere(web.host) && web.port !== String(ports.nameNodeHttp));

function spark(given: Environment, { ports, isDocker }: Stack): Part {
  const { SPARK_REST_URL, SPARK_MASTER_URL } = given;
  const rest = SPARK_REST_URL === undefined ? undefined : placeOf(SPARK_REST_URL);
  // Of several masters any takes a call.
  const master = SPARK_MASTER_URL === undefined ? undefined : placeOf(SPARK_MASTER_URL.replace(/,.*/, ''));
  const own = isDocker ? undefined : (master ?? rest);
  const source = own === undefined ? undefined : own === master ? 'SPARK_MASTER_URL' : 'SPARK_REST_URL';
  const host = own === undefined || isHere(own.host) ? undefined : own.host;
  const at = (port: PortName): string =>
    host === undefined ? `localhost:${ports[port]}` : `${host}:${sparksPorts[port] ?? ports[port]}`;
  const follows = host === undefined ? undefined : source;
  const masterHere = isDocker ? 'spark://spark-master:7077' : `spark://127.0.0.1:${ports.sparkRpc}`;
  const isContradiction =
    !isDocker &&
    rest !== undefined &&
    master !== undefined &&
    !masterHosts(SPARK_MASTER_URL).some((name) => isSameHost(name, rest.host)) &&
    !(isHere(rest.host) && rest.port !== String(ports.sparkRest));
  return {
    values: {
      SPARK_REST_URL: [`http://${at('sparkRest')}`, follows],
      SPARK_UI_URL: [`http://${at('sparkUi')}`, follows],
      SPARK_MASTER_URL: [host === undefined ? masterHere : `spark://${at('sparkRpc')}`, follows],
    },
    problems: isContradiction ? [contradiction(['SPARK_REST_URL', rest], ['SPARK_MASTER_URL', master])] : [],
  };
}

/** The ports of Spark itself; the stack's page has another one, so that it can stand beside others. */
const sparksPorts: Partial<Record<PortName, number>> = { sparkRest: 6066, sparkRpc: 7077, sparkUi: 8080 };

const masterHosts = (url = ''): string[] =>
  url
    .replace(/^spark:\/\//, '')
    .split(',')
    .flatMap((master) => placeOf(`spark://${master}`)?.host ?? []);

const leaveOne = 'leave one of them out, and it follows the other';

/** What is wrong where the command line and the jobs would use two servers. */
const contradiction = (
  [ownName, own]: readonly [string, Place],
  [jobName, job]: readonly [string, Place],
): string =>
  `${ownName} leads to ${shownPlace(own)} and ${jobName} to ${shownPlace(job)}, which are two servers; ${leaveOne} (a tunnel's end on this computer has another port than the server)`;

/** On this computer the stack's port, elsewhere the one that the server has by default. */
const portAt = (host: string, port: PortName, ports: Ports): string =>
  String(isHere(host) || host.startsWith('/') ? ports[port] : basePorts[port]);

const rootOf = (path: string | undefined): string | undefined => /^hdfs:\/\/([^/]+)\//.exec(path ?? '')?.[1];

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
