import type { Config } from './config.js';

/** The real adapters for one configuration, each built on first use. */
export interface App {
  readonly config: Config;
  /** Closes what was opened; safe to call when nothing was. */
  close(): Promise<void>;
}

/** The only place that knows both the ports and the adapters behind them. */
export function createApp(config: Config): App {
  const closers: (() => Promise<void>)[] = [];
  return {
    config,
    close: async () => {
      for (const close of closers.splice(0).reverse()) await close();
    },
  };
}
