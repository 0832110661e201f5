import type { PageServer, RunningPage } from '../core/ports/dashboard.js';
import { createFeed, type FeedOptions, type FeedPorts } from './dashboard/feed.js';

export interface DashboardPorts extends FeedPorts {
  readonly server: PageServer;
}

export interface DashboardOptions extends FeedOptions {
  readonly port: number;
  /** Called once, when the page can be opened. */
  readonly onStart: (page: Pick<RunningPage, 'url'>) => void;
  readonly signal: AbortSignal;
}

/** A browser keeps six connections to one address; this is enough for two of them and some tests. */
const mostWatchers = 16;

/** Serves the page until the signal aborts. @throws ConfigError for a taken port. */
export async function dashboard(ports: DashboardPorts, options: DashboardOptions): Promise<void> {
  const { port, onStart, signal } = options;
  const feed = createFeed(ports, options);
  const page = await ports.server.start({ port, mostWatchers, watch: feed.watch });
  try {
    onStart(page);
    await feed.run(signal);
  } finally {
    await page.close();
  }
}
