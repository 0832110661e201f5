import { createBarStore } from './adapters/postgres-bars.js';
import { createSchema } from './adapters/postgres-schema.js';
import { createPool } from './adapters/postgres.js';
import type { Config } from './config.js';
import type { SandboxFactory } from './core/ports/sandbox.js';
import type { BarStore, Schema } from './core/ports/bars.js';

/** The real adapters for one configuration, each built on first use. */
export interface App {
  readonly config: Config;
  readonly sandbox: SandboxFactory;
  readonly barStore: BarStore;
  readonly schema: Schema;
  /** Closes what was opened; safe to call when nothing was. */
  close(): Promise<void>;
}

/** Builds on the first call and gives the same one from then on. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** The only place that knows both the ports and the adapters behind them. */
export function createApp(config: Config): App {
  const closers: (() => Promise<void>)[] = [];
  const pool = once(() => {
    const opened = createPool(config.postgres);
    closers.push(() => opened.end());
    return opened;
  });
  const barStore = once(() => createBarStore(pool()));
  const schema = once(() => createSchema(pool(), config.postgres));
  return {
    config,
    sandbox,
    get barStore() {
      return barStore();
    },
    get schema() {
      return schema();
    },
    close: async () => {
      for (const close of closers.splice(0).reverse()) await close();
    },
  };
}

/** Loaded on first use: no other command needs a server or an archive reader. */
const sandbox: SandboxFactory = {
  start: async (options) => (await import('./sandbox/start-sandbox.js')).startSandbox(options),
  writeTape: async (options) => (await import('./sandbox/tapes/write-archive.js')).writeTape(options),
};
