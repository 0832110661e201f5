import type { Candle, ChartView, ChartWish, DashboardEvent } from '../dashboard.js';
import type { Hole, SymbolFreshness } from './bars.js';
import type { JobRun } from './runs.js';

/** What the page shows, read from the warehouse; every call throws UnreachableError when that does not answer. */
export interface DashboardData {
  /** All series and the newest runs, living ones first; `at` is the database's clock, epoch ms. */
  overview(): Promise<{
    readonly at: number;
    readonly series: readonly SymbolFreshness[];
    readonly runs: readonly JobRun[];
  }>;
  /** The newest candles of a view, in order of time. */
  candles(view: ChartView): Promise<Candle[]>;
  /** The newest holes of a symbol. */
  holes(series: Pick<ChartView, 'source' | 'symbol'>): Promise<Hole[]>;
}

/**
 * A page that begins to look. Events come until the returned function is called.
 */
export type Watch = (wish: ChartWish, send: (event: DashboardEvent) => void) => () => void;

export interface PageServerOptions {
  readonly port: number;
  /** So many pages at once; one more is told to come later. */
  readonly mostWatchers: number;
  readonly watch: Watch;
}

export interface RunningPage {
  readonly url: string;
  /** Ends every connection; nothing is left open. */
  close(): Promise<void>;
}

/** The page's web server, on loopback. */
export interface PageServer {
  /** @throws ConfigError for a taken port, and where the page was not built. */
  start(options: PageServerOptions): Promise<RunningPage>;
  /** Resolves when a dashboard of ours answers there. */
  probe(port: number, signal: AbortSignal): Promise<void>;
}
