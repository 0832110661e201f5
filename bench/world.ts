import { mkdir, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs, { type Kafka } from 'kafkajs';
import pg from 'pg';
import { run, start, type Running } from './program.js';

/** How much is measured; smaller for a trial. */
export interface Scale {
  readonly trades: number;
  readonly seconds: number;
}

/** A stack of its own, seen through the built program and, for what is measured, through the servers themselves. */
export interface World {
  readonly scale: Scale;
  readonly folder: string;
  readonly pool: pg.Pool;
  readonly kafka: Kafka;
  readonly say: (line: string) => void;
  /** Runs a command of cryptopipe to its end on this stack; `topic` is the topic that it sees. */
  run(topic: string, args: readonly string[]): Promise<readonly Record<string, unknown>[]>;
  start(topic: string, args: readonly string[]): Running;
  /** A stand-in exchange on a port of its own, and its address. */
  exchange(args: readonly string[]): Promise<{ readonly url: string; readonly running: Running }>;
  /** Removes a folder of HDFS. */
  removeFolder(path: string): Promise<void>;
  /** Made once, whoever asks first: what several benchmarks share. */
  once<T>(name: string, make: () => Promise<T>): Promise<T>;
  /** Called when the world ends, before the servers do. */
  onClose(close: () => Promise<void>): void;
  close(): Promise<void>;
}

/** The caller's own settings would lead elsewhere. */
const foreign =
  /^(CRYPTO_|KAFKA_|HDFS_|WEBHDFS_|PG|POSTGRES_|SPARK_|PYSPARK_|CRYPTOPIPE_(?!CACHE_DIR|MAVEN_URL|POSTGRES_BIN|PYTHON))/;

const envOf = (values: Readonly<Record<string, string>>): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name))),
  ...values,
});

/** Starts the servers; nothing of an earlier run is left on them. */
export async function openWorld(
  options: { readonly portOffset: number; readonly scale: Scale },
  say: (line: string) => void,
): Promise<World> {
  const folder = join(tmpdir(), 'cryptopipe-bench');
  const own = {
    CRYPTOPIPE_DATA_DIR: join(folder, 'stack'),
    CRYPTOPIPE_PORT_OFFSET: String(options.portOffset),
  };
  const env = (topic: string): NodeJS.ProcessEnv => envOf({ ...own, KAFKA_TOPIC: topic });
  const down = async (): Promise<void> => {
    await run(['stack', 'down', '--json'], env('crypto_raw'));
    await rm(folder, { recursive: true, force: true });
  };
  await down();
  await mkdir(folder, { recursive: true });
  say('starting the servers');
  await run(['stack', 'up', '--json'], env('crypto_raw'));
  const [addresses] = await run(['stack', 'env', '--json'], env('crypto_raw'));
  return worldOf({ scale: options.scale, folder, say, env, down }, addresses as Record<string, string>);
}

interface Base extends Pick<World, 'scale' | 'folder' | 'say'> {
  readonly env: (topic: string) => NodeJS.ProcessEnv;
  readonly down: () => Promise<void>;
}

function worldOf({ scale, folder, say, env, down }: Base, addresses: Record<string, string>): World {
  const { PGHOST, PGPORT, PGDATABASE, POSTGRES_USER, KAFKA_BOOTSTRAP_SERVERS, WEBHDFS_URL } = addresses;
  const pool = new pg.Pool({
    host: PGHOST,
    port: Number(PGPORT),
    database: PGDATABASE,
    user: POSTGRES_USER,
    password: 'crypto',
  });
  pool.on('error', () => undefined);
  const kafka = new kafkajs.Kafka({
    brokers: [String(KAFKA_BOOTSTRAP_SERVERS)],
    clientId: 'bench',
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const made = new Map<string, Promise<unknown>>();
  const closers: (() => Promise<void>)[] = [];
  return {
    scale,
    folder,
    pool,
    kafka,
    say,
    run: (topic, args) => run(args, env(topic)),
    start: (topic, args) => start(args, env(topic)),
    exchange: async (args) => {
      const running = start(['sandbox', '--json', '--port', '0', ...args], env('crypto_raw'));
      closers.push(async () => {
        running.interrupt();
        await running.ended.catch(() => undefined);
      });
      return { url: String((await running.line(({ url }) => url !== undefined))['url']), running };
    },
    removeFolder: async (path) => {
      const address = `${String(WEBHDFS_URL)}/webhdfs/v1${path}?op=DELETE&recursive=true&user.name=${userInfo().username}`;
      const { ok, status } = await fetch(address, { method: 'DELETE', signal: AbortSignal.timeout(30_000) });
      if (!ok) throw new Error(`WebHDFS answered ${status} to the removal of ${path}`);
    },
    once: <T>(name: string, make: () => Promise<T>) => {
      const known = made.get(name) ?? make();
      made.set(name, known);
      return known as Promise<T>;
    },
    onClose: (close) => closers.push(close),
    close: async () => {
      for (const close of closers.splice(0).reverse()) await close().catch(() => undefined);
      await pool.end();
      await down();
    },
  };
}

/** Asks each quarter of a second until there is an answer. */
export async function eventually<T>(
  what: string,
  timeoutMs: number,
  ask: () => Promise<T | undefined>,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${timeoutMs / 1000} s`);
    await sleep(250);
  }
}
