import type { Config } from './config.js';
import type { SandboxFactory } from './core/ports/sandbox.js';

/** The real adapters for one configuration, each built on first use. */
export interface App {
  readonly config: Config;
  readonly sandbox: SandboxFactory;
  /** Closes what was opened; safe to call when nothing was. */
  close(): Promise<void>;
}

/** The only place that knows both the ports and the adapters behind them. */
export function createApp(config: Config): App {
  const closers: (() => Promise<void>)[] = [];
  return {
    config,
    sandbox,
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
