import { readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findJava, findPython, type FoundJava, type FoundPython } from '../../../scripts/prerequisites.mjs';
import { ConfigError } from '../../core/errors.js';
import type { Installation, Say, ServerName } from '../../core/ports/stack.js';
import { createHttpClient } from '../../http/http-client.js';
import type { StackSettings } from '../settings.js';
import { writeInstallation } from './installation.js';
import { airflowPackages, airflowVersion, type AirflowInstallation } from './airflow.js';
import { stackLock, type LockedJar } from './lock.js';
import { fetchJars, jarPath } from './maven.js';
import { installPostgres, type PostgresBinaries } from './postgres-binaries.js';
import { postgresPlaces, type PostgresPlaces } from './postgres-user.js';
import { installPython, sparkPackages, type PythonPackages } from './python.js';
import { makeRestKey } from './rest-key.js';

/** Everything that the servers start from. What a choice of servers does not need is undefined. */
export interface Installed {
  readonly java: FoundJava | undefined;
  readonly kafkaJars: readonly string[];
  readonly hdfsJars: readonly string[];
  readonly spark: Installation | undefined;
  readonly postgres: (PostgresBinaries & PostgresPlaces) | undefined;
  readonly airflow: AirflowInstallation | undefined;
}

export interface InstallCall {
  readonly settings: StackSettings;
  readonly servers: readonly ServerName[];
  /** Compares what is in the cache by checksum, too. */
  readonly verify?: boolean;
  readonly say: Say;
  readonly signal: AbortSignal;
}

interface Needs {
  readonly kafka: boolean;
  readonly hdfs: boolean;
  readonly spark: boolean;
  readonly postgres: boolean;
  readonly airflow: boolean;
}

function needsOf(servers: readonly ServerName[]): Needs {
  const has = (...names: ServerName[]): boolean => names.some((name) => servers.includes(name));
  const hdfs = has('name-node', 'data-node');
  return {
    kafka: has('kafka'),
    hdfs,
    spark: hdfs || has('spark-master', 'spark-worker'), // HDFS runs from pyspark's jars.
    postgres: has('postgres'),
    airflow: has('airflow'),
  };
}

/** Checks first and names every problem at once; only then is anything downloaded. */
function checkPrerequisites(
  settings: StackSettings,
  needs: Needs,
): { java?: FoundJava; python?: FoundPython } {
  const java = needs.kafka || needs.spark ? findJava(settings.environment) : undefined;
  const python = needs.spark || needs.airflow ? findPython(settings.python) : undefined;
  const problems = [java?.problem, python?.problem].filter((problem) => problem !== undefined);
  if (problems.length > 0) {
    throw new ConfigError(problems.join('\n'), { nextStep: 'Then run the same command again.' });
  }
  return {
    ...(java?.problem === undefined && java !== undefined ? { java } : {}),
    ...(python?.problem === undefined && python !== undefined ? { python } : {}),
  };
}

/** Downloads and prepares what the servers need and is not there yet; safe to run twice and at the same time. */
export async function install(call: InstallCall): Promise<Installed> {
  const { settings, say } = call;
  const needs = needsOf(call.servers);
  const { java, python } = checkPrerequisites(settings, needs);
  const { maven } = stackLock();
  const jars = [
    ...(needs.kafka ? maven.kafka : []),
    ...(needs.hdfs ? maven.hdfs : []),
    ...(needs.spark ? maven.connectors : []),
  ];
  await mkdir(settings.cacheDir, { recursive: true, mode: 0o755 });
  const stop = new AbortController();
  const common = { cacheDir: settings.cacheDir, say, signal: AbortSignal.any([call.signal, stop.signal]) };
  try {
    const installInto = async (packages: PythonPackages): Promise<string | undefined> =>
      python && installPython(python, packages, { ...common, environment: settings.environment });
    const [, folder, airflow, postgres] = await Promise.all([
      fetchJars(jars, {
        ...common,
        mavenUrl: settings.mavenUrl,
        http: createHttpClient(settings.environment),
        verify: call.verify ?? false,
      }),
      needs.spark ? installInto(sparkPackages()) : undefined,
      needs.airflow ? installInto(airflowPackages()) : undefined,
      needs.postgres ? preparePostgres(settings, say) : undefined,
    ]);
    const spark = folder === undefined ? undefined : sparkOf(folder, settings.cacheDir);
    if (spark !== undefined) {
      await writeInstallation(settings.dataDir, spark);
      await makeRestKey(settings.dataDir);
    }
    return {
      java,
      kafkaJars: pathsOf(maven.kafka, settings),
      hdfsJars: pathsOf(maven.hdfs, settings),
      spark,
      postgres,
      airflow: airflow === undefined ? undefined : { folder: airflow, version: airflowVersion() },
    };
  } finally {
    stop.abort();
  }
}

async function preparePostgres(
  settings: StackSettings,
  say: Say,
): Promise<PostgresBinaries & PostgresPlaces> {
  const places = postgresPlaces(settings, say);
  const binaries = await installPostgres({ folder: places.binFolder, own: settings.postgresBin }, say);
  return { ...places, ...binaries };
}

const pathsOf = (jars: readonly LockedJar[], settings: StackSettings): string[] =>
  jars.map((jar) => jarPath(settings.cacheDir, jar));

function sparkOf(folder: string, cacheDir: string): Installation {
  const library = join(folder, 'lib');
  const python = readdirSync(library).find((name) => name.startsWith('python3')) ?? 'python3';
  return {
    sparkHome: join(library, python, 'site-packages', 'pyspark'),
    python: join(folder, 'bin', 'python'),
    sparkJars: stackLock().maven.connectors.map((jar) => jarPath(cacheDir, jar)),
  };
}
