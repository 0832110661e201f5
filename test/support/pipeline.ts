import { join } from 'node:path';
import { execa } from 'execa';
import type pg from 'pg';
import { inject } from 'vitest';
import { createPool, queryRows } from '../../src/adapters/postgres.js';
import { createApp, type App } from '../../src/compose.js';
import { loadConfig, type Config } from '../../src/config.js';
import type { JobRun } from '../../src/core/ports/runs.js';
import { query } from './postgres.js';

/** The built program. */
export const program = join(import.meta.dirname, '../../dist/main.js');

/** A pipeline of its own on the shared stack: topic, database, lake and checkpoint share their name with no other. */
export interface Pipeline {
  readonly app: App;
  readonly environment: Readonly<Record<string, string>>;
  readonly config: Config;
  readonly topic: string;
  /** Absolute path in HDFS under which the lake and the checkpoint lie. */
  readonly folder: string;
  /** Its own places as `name=value` of the streaming job; others may replace one. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Runs the built program; gives stdout. An exit code that is not expected fails the test with both streams. */
  run(args: readonly string[], expected?: { readonly exitCodes: readonly number[] }): Promise<string>;
  /** Rows of one statement on its database. */
  rows<Row extends pg.QueryResultRow = Record<string, unknown>>(
    sql: string,
    values?: readonly unknown[],
  ): Promise<Row[]>;
  /** Starts the streaming job; with `wait` (the topic is worked off) until it has FINISHED. */
  submit(parameters?: Readonly<Record<string, string | number>>, flags?: readonly string[]): Promise<JobRun>;
  workOff(parameters?: Readonly<Record<string, string | number>>): Promise<JobRun>;
  /** Ends what a failed test has left running, too: the stack has room for one run. */
  close(): Promise<void>;
}

const commandTimeoutMs = 280_000;

/** Makes the topic (or takes the one of another pipeline), the database and the schema. */
export async function aPipeline(
  name: string,
  options: {
    readonly topic?: string;
    readonly exchangeUrl?: string;
    /** Of another stack than the shared one. */
    readonly stackEnvironment?: Readonly<Record<string, string>>;
  } = {},
): Promise<Pipeline> {
  const unique = `${name}_${Date.now().toString(36)}`;
  const stackEnvironment = options.stackEnvironment ?? inject('stackEnvironment');
  const stack = loadConfig({}, stackEnvironment, '/nonexistent/.env');
  const { host, port, database, user, password } = stack.postgres;
  await query({ host, port, database, user, password }, `CREATE DATABASE ${unique}`);
  const folder = `/e2e/${unique}`;
  const environment = {
    ...stackEnvironment,
    PGDATABASE: unique,
    KAFKA_TOPIC: options.topic ?? unique,
    ...(options.exchangeUrl === undefined ? {} : { CRYPTO_API_URL: options.exchangeUrl }),
    HDFS_RAW_PATH: `${stack.hdfs.root}${folder}/raw`,
    HDFS_CLEAN_PATH: `${stack.hdfs.root}${folder}/clean`,
  };
  const pipeline = pipelineOf(environment, folder);
  await pipeline.run(['init']);
  return pipeline;
}

function pipelineOf(environment: Readonly<Record<string, string>>, folder: string): Pipeline {
  const config = loadConfig({}, environment, '/nonexistent/.env');
  const app = createApp(config);
  const pool = createPool(config.postgres);
  const parameters = {
    rejected_path: `${config.hdfs.root}${folder}/rejected`,
    checkpoint_path: `${config.hdfs.root}${folder}/checkpoint`,
    lake_interval_ms: '1000',
  };
  const run: Pipeline['run'] = async (args, { exitCodes } = { exitCodes: [0] }) => {
    const result = await cryptopipe(environment, args, commandTimeoutMs);
    if (exitCodes.includes(result.exitCode ?? -1)) return result.stdout;
    throw new Error(
      `cryptopipe ${args.join(' ')}: exit ${result.exitCode ?? String(result.signal)}, not ${exitCodes.join(' or ')}\n${result.stdout}\n${result.stderr}`,
    );
  };
  const start = async (
    more: Readonly<Record<string, string | number>>,
    flags: readonly string[],
  ): Promise<JobRun> => {
    const given = Object.entries({ ...parameters, ...more }).flatMap(([name, value]) => [
      '-p',
      `${name}=${value}`,
    ]);
    return JSON.parse(await run(['submit', 'streaming', '--json', ...flags, ...given])) as JobRun;
  };
  return {
    app,
    environment,
    config,
    topic: config.kafka.topic,
    folder,
    parameters,
    run,
    rows: (sql, values) => queryRows(pool, sql, values),
    submit: (more = {}, flags = []) => start(more, flags),
    workOff: (more = {}) => start({ ...more, mode: 'available-now' }, ['--wait', '--timeout', '240']),
    close: async () => {
      for (const { runId } of await app.book.list({ live: true })) await run(['stop', runId, '--kill']);
      await app.close();
      await pool.end();
    },
  };
}

/** One call of the built program. */
export const cryptopipe = (
  environment: Readonly<Record<string, string>>,
  args: readonly string[],
  timeout?: number,
) =>
  execa(process.execPath, [program, ...args], {
    env: { ...environment },
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    ...(timeout === undefined ? {} : { timeout }),
  });

/** A command that goes on until it is ended. */
export interface Running {
  readonly pid: number;
  /** Everything that it has printed as JSON lines so far. */
  readonly lines: readonly Record<string, unknown>[];
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  end(signal: 'SIGINT' | 'SIGKILL'): Promise<number | string>;
}

/** Starts the built program with `--json`. */
export function startCommand(
  environment: Readonly<Record<string, string>>,
  args: readonly string[],
): Running {
  const child = execa(process.execPath, [program, ...args, '--json'], {
    env: { ...environment },
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    buffer: false,
  });
  const lines: Record<string, unknown>[] = [];
  const read = (async () => {
    for await (const line of child) lines.push(JSON.parse(line) as Record<string, unknown>);
  })().catch(() => undefined);
  const ended = (async () => {
    const { exitCode, signal } = await child;
    await read;
    return exitCode ?? String(signal);
  })();
  const end = (signal: 'SIGINT' | 'SIGKILL'): Promise<number | string> => {
    child.kill(signal);
    return ended;
  };
  return { pid: child.pid ?? 0, lines, ended, end };
}

export interface StandIn {
  readonly url: string;
  stop(): Promise<void>;
}

/** The stand-in exchange as a process of its own. */
export async function startExchange(
  environment: Readonly<Record<string, string>>,
  args: readonly string[],
): Promise<StandIn> {
  const running = startCommand(environment, ['sandbox', '--port', '0', ...args]);
  const url = await Promise.race([
    eventually('the address of the sandbox', () => Promise.resolve(running.lines[0]?.['url']), 30_000),
    running.ended.then((code) => Promise.reject(new Error(`the sandbox ended with ${code}`))),
  ]);
  return {
    url: String(url),
    stop: async () => {
      await running.end('SIGINT');
    },
  };
}

/** The stand-in exchange with files in archive format that are all there from the start. */
export const playTapes = (files: readonly string[]): Promise<StandIn> =>
  startExchange(inject('stackEnvironment'), ['--all-at-once', '--tape', ...files]);

/** All the tape's trades into the topic, from the first one on, whatever was sent before. */
export const produceAll = (pipeline: Pipeline, symbols: readonly string[]): Promise<string> =>
  pipeline.run([
    ...['produce', '--symbols', symbols.join(',')],
    ...['--from', '0', '--ignore-cursor', '--until-caught-up', '--quiet'],
  ]);

/** Asks again until `get` gives something else than undefined; fails when the time is over. */
export async function eventually<T>(
  what: string,
  get: () => Promise<T | undefined>,
  timeoutMs = 240_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await get();
    if (value !== undefined) return value;
    if (Date.now() > deadline) throw new Error(`${what} did not come within ${timeoutMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
