import {
  changedCandles,
  chooseView,
  type Candle,
  type ChartView,
  type ChartWish,
  type DashboardEvent,
  type DashboardState,
} from '../../core/dashboard.js';
import { chartIntervals } from '../../core/dashboard.js';
import { CryptopipeError } from '../../core/errors.js';
import type { Hole } from '../../core/ports/bars.js';
import type { Clock } from '../../core/ports/clock.js';
import type { DashboardData, Watch } from '../../core/ports/dashboard.js';
import { shortDuration } from '../../core/report.js';
import { shownRun } from './shown-run.js';

/** A bar must be on the page three seconds after it is final; three readings fit into that. */
const pauseMs = 800;
/** A database that answers nothing, not even an error, is called stale after so long. */
const lateMs = 3_000;

export interface FeedPorts {
  readonly data: DashboardData;
  readonly clock: Clock;
}

export interface FeedOptions {
  /** What is shown first to a page that wishes nothing. */
  readonly symbols: readonly string[];
}

/** What all pages see, read again and again while at least one looks. */
export interface Feed {
  readonly watch: Watch;
  /** Resolves when the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

interface Watcher {
  readonly wish: ChartWish;
  readonly send: (event: DashboardEvent) => void;
  /** What it was sent last. */
  shown?: { readonly view: ChartView; readonly candles: readonly Candle[] } | undefined;
}

/** What one view shows at one moment. */
interface Reading {
  readonly candles: readonly Candle[];
  readonly holes: readonly Hole[];
}

const keyOf = ({ source, symbol, interval }: ChartView): string => `${source} ${symbol} ${interval}`;

/** One reading serves all pages; nothing is asked while nobody looks. */
export function createFeed(ports: FeedPorts, options: FeedOptions): Feed {
  const watchers = new Set<Watcher>();
  let newcomer = new AbortController();
  let readAt: number | undefined;

  const tell = (event: DashboardEvent): void => watchers.forEach(({ send }) => send(event));
  const turn = async (): Promise<void> => {
    const answered = new AbortController();
    void ports.clock.sleep(lateMs, answered.signal).then(() => {
      if (!answered.signal.aborted) tell(late(readAt));
    });
    try {
      readAt = await publish(ports.data, [...watchers], options);
    } catch (error) {
      if (!(error instanceof CryptopipeError)) throw error;
      tell({ name: 'stale', since: readAt, problem: error.message, nextStep: error.nextStep });
    } finally {
      answered.abort();
    }
  };
  return {
    watch: (wish, send) => {
      const watcher: Watcher = { wish, send };
      watchers.add(watcher);
      newcomer.abort();
      return () => watchers.delete(watcher);
    },
    run: async (signal) => {
      const aborted = whenAborted(signal);
      while (!signal.aborted) {
        if (watchers.size > 0) await Promise.race([turn(), aborted]);
        newcomer = new AbortController();
        const wake = AbortSignal.any([signal, newcomer.signal]);
        // Asked again after the controller is new, or a page that came in between would wait for nothing.
        await (watchers.size > 0 ? ports.clock.sleep(pauseMs, wake) : whenAborted(wake));
      }
    },
  };
}

const late = (since: number | undefined): DashboardEvent => ({
  name: 'stale',
  since,
  problem: `PostgreSQL has not answered for ${shortDuration(lateMs)}`,
  nextStep: 'See how it is: `cryptopipe stack status`.',
});

const whenAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** Reads what these pages look at and sends each what is new to it; the time of the reading. */
async function publish(
  data: DashboardData,
  watchers: readonly Watcher[],
  { symbols }: FeedOptions,
): Promise<number> {
  const { at, series, runs } = await data.overview();
  const common = { at, series, runs: runs.map(shownRun) };
  const readings = new Map<string, Promise<Reading>>();
  const read = (view: ChartView): Promise<Reading> => {
    const known = readings.get(keyOf(view)) ?? readView(data, view);
    readings.set(keyOf(view), known);
    return known;
  };
  for (const watcher of watchers) {
    const view = chooseView(watcher.wish, series, symbols);
    if (view === undefined) watcher.send({ name: 'update', state: { ...common, holes: [] } });
    else sendChart(watcher, view, await read(view), common);
  }
  return at;
}

async function readView(data: DashboardData, view: ChartView): Promise<Reading> {
  const [candles, holes] = await Promise.all([data.candles(view), data.holes(view)]);
  return { candles, holes };
}

function sendChart(
  watcher: Watcher,
  view: ChartView,
  { candles, holes }: Reading,
  common: Omit<DashboardState, 'holes'>,
): void {
  const { shown } = watcher;
  const isSame = shown !== undefined && keyOf(shown.view) === keyOf(view);
  const changed = isSame ? changedCandles(shown.candles, candles) : undefined;
  watcher.shown = { view, candles };
  watcher.send({
    name: 'update',
    state: { ...common, holes },
    chart: {
      view,
      minutes: chartIntervals[view.interval].minutes,
      isWhole: changed === undefined,
      candles: changed ?? candles,
    },
  });
}
