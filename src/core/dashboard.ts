import { UsageError } from './errors.js';
import { isSymbol } from './symbol.js';
import type { Hole } from './ports/bars.js';
import { sampleSource, type Proof } from './bar-proof.js';

/** Widths of the candles that can be shown, and how many of each a page gets at first. */
export const chartIntervals = {
  '1m': { minutes: 1, candles: 360 },
  '5m': { minutes: 5, candles: 288 },
  '15m': { minutes: 15, candles: 192 },
  '1h': { minutes: 60, candles: 168 },
} as const;

export type ChartInterval = keyof typeof chartIntervals;

/** One chart: bars of one symbol of one source. */
export interface ChartView {
  readonly source: string;
  readonly symbol: string;
  readonly interval: ChartInterval;
}

/** What a page asks for; what it leaves out is chosen for it. */
export type ChartWish = { readonly [K in keyof ChartView]?: ChartView[K] | undefined };

/** A bar as the page gets it; prices and volume are exact decimal texts. */
export interface Candle {
  /** Epoch ms of its beginning. */
  readonly at: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly volume: string;
  readonly trades: number;
  readonly proof: Proof;
  /** What verify found wrong, a few words each: `different: close, volume`. */
  readonly findings: readonly string[];
}

/** What can be shown, and how new it is; times in epoch ms. */
export interface SeriesState {
  readonly source: string;
  readonly symbol: string;
  readonly newestTradeAt?: number | undefined;
  readonly newestFinalBarAt?: number | undefined;
  readonly holes: number;
  readonly missingIds: number;
}

/** A run of a job, as the book of runs alone tells it. Ages in ms, by the database's clock. */
export interface ShownRun {
  readonly runId: string;
  readonly job: string;
  readonly state: string;
  /** How it is, in one or two words. */
  readonly situation: string;
  readonly isHealthy: boolean;
  /** Since it began, or for one that has ended how long it took. */
  readonly durationMs: number;
  /** Since the job last said that it lives; only of a run that lives. */
  readonly silentMs?: number | undefined;
  readonly error?: string | undefined;
}

/** Everything beside the candles. */
export interface DashboardState {
  /** When PostgreSQL said all this, by its own clock; epoch ms. */
  readonly at: number;
  readonly series: readonly SeriesState[];
  readonly runs: readonly ShownRun[];
  /** The newest holes of the symbol that is shown. */
  readonly holes: readonly Hole[];
}

/** What goes to a page, each as one server-sent event of that name. */
export type DashboardEvent =
  | {
      readonly name: 'update';
      readonly state: DashboardState;
      /** Undefined where there is nothing to show yet. */
      readonly chart?:
        | {
            readonly view: ChartView;
            readonly minutes: number;
            /** All candles, or only those that changed since the last event. */
            readonly isWhole: boolean;
            readonly candles: readonly Candle[];
          }
        | undefined;
    }
  | {
      /** PostgreSQL cannot be read: what the page shows is as old as it says. */
      readonly name: 'stale';
      /** When it was read last, epoch ms; undefined where it never was. */
      readonly since?: number | undefined;
      readonly problem: string;
      readonly nextStep?: string | undefined;
    };

/** @throws UsageError for an interval that there is none of, and for names that no series has. */
export function parseWish(query: Readonly<Record<string, string | undefined>>): ChartWish {
  const { source, symbol, interval } = query;
  if (source !== undefined && !/^[\w.-]{1,80}$/.test(source))
    throw new UsageError('a source is a name of letters, digits, dots and hyphens');
  if (symbol !== undefined && !isSymbol(symbol)) throw new UsageError('there is no such symbol');
  if (interval !== undefined && !isInterval(interval))
    throw new UsageError(`interval is one of ${Object.keys(chartIntervals).join(', ')}`);
  return { source, symbol, interval };
}

const isInterval = (text: string): text is ChartInterval => Object.hasOwn(chartIntervals, text);

/**
 * The series that is meant: what was wished, else the first of the preferred symbols, else the one with the newest trade.
 * Sample data only where somebody asked for them.
 */
export function chooseView(
  wish: ChartWish,
  series: readonly SeriesState[],
  preferred: readonly string[],
): ChartView | undefined {
  const fits = series.filter(
    ({ source, symbol }) => source === (wish.source ?? source) && symbol === (wish.symbol ?? symbol),
  );
  const real = fits.filter(({ source }) => source !== sampleSource);
  const newestFirst = real.toSorted((a, b) => (b.newestTradeAt ?? 0) - (a.newestTradeAt ?? 0));
  const chosen =
    preferred.map((symbol) => newestFirst.find((one) => one.symbol === symbol)).find((one) => one) ??
    newestFirst[0] ??
    (wish.source === sampleSource ? fits[0] : undefined);
  return chosen && { source: chosen.source, symbol: chosen.symbol, interval: wish.interval ?? '1m' };
}

/** The candles that are not in `before` as they are now; undefined where one is gone that lies after the first of `now`. */
export function changedCandles(
  before: readonly Candle[],
  now: readonly Candle[],
): readonly Candle[] | undefined {
  const textsBefore = new Map(before.map((candle) => [candle.at, JSON.stringify(candle)]));
  const times = new Set(now.map(({ at }) => at));
  const first = now[0]?.at ?? -Infinity;
  if (before.some(({ at }) => at >= first && !times.has(at))) return undefined;
  return now.filter((candle) => textsBefore.get(candle.at) !== JSON.stringify(candle));
}
