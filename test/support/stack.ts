import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '../../src/compose.js';
import { loadConfig, type Config } from '../../src/config.js';
import type { ServerName } from '../../src/core/ports/stack.js';

export interface TestStack {
  /** The environment with which the built program (or `loadConfig`) sees this stack. */
  readonly env: Record<string, string>;
  readonly config: Config;
  readonly dataDir: string;
  /** Stops the servers and removes their data, unless CRYPTOPIPE_TEST_STACK=keep. */
  stop(): Promise<void>;
}

/**
 * The real servers with a port offset and a data folder of their own. With CRYPTOPIPE_TEST_STACK=keep they are left
 * running and used again by the next call with the same name: quick, but the data of the last run are there too.
 */
export async function startStack(options: {
  readonly name: string;
  readonly portOffset: number;
  readonly only?: readonly ServerName[];
  readonly env?: Readonly<Record<string, string>>;
}): Promise<TestStack> {
  const isKept = process.env['CRYPTOPIPE_TEST_STACK'] === 'keep';
  const dataDir = join(tmpdir(), 'cryptopipe-test', options.name);
  const env = {
    ...inheritedEnvironment(),
    ...options.env,
    CRYPTOPIPE_DATA_DIR: dataDir,
    CRYPTOPIPE_PORT_OFFSET: String(options.portOffset),
  };
  const config = loadConfig({}, env, '/nonexistent/.env');
  const { stack } = createApp(config);
  const stop = async (): Promise<void> => {
    await stack.down({ say: () => undefined });
    await rm(dataDir, { recursive: true, force: true });
  };
  if (!isKept) await stop();
  await stack.up({ say: () => undefined, signal: AbortSignal.timeout(540_000), only: options.only });
  return { env, config, dataDir, stop: isKept ? () => Promise.resolve() : stop };
}

/** The caller's own settings of cryptopipe and of its servers would lead a test elsewhere. */
export function inheritedEnvironment(): Record<string, string> {
  const foreign =
    /^(CRYPTO_|KAFKA_|HDFS_|WEBHDFS_|PG|POSTGRES_|SPARK_|PYSPARK_|CRYPTOPIPE_(?!CACHE_DIR|MAVEN_URL|POSTGRES_BIN|PYTHON))/;
  return Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !foreign.test(entry[0]),
    ),
  );
}
