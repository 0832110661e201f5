import { hasExactQuote } from '../../core/bar-fields.js';
import { JobFailedError } from '../../core/errors.js';
import type { BarEvidence } from '../../core/ports/bars.js';
import type { Clock } from '../../core/ports/clock.js';
import type { Exchange, Kline, KlineArchive } from '../../core/ports/exchange.js';
import { dayAfter, dayOf, dayText } from '../../core/utc-day.js';
import type { DayRange } from './days.js';

const minuteMs = 60_000;
const pageMinutes = 1_000;
/** The exchange answers klines from a database that follows its trades; a minute after its end a bar is there and whole. */
const restSettlesMs = minuteMs;
/** A day's file is published during the day that follows; one more day is for a late one. */
const archiveSettlesMs = 48 * 60 * minuteMs;

/** The exchange's bars of (a part of) a day, and what is to be known of them before ours are held against them. */
export interface DayKlines {
  readonly klines: readonly Kline[];
  /** Epoch ms; bars of minutes that end later may be missing or unfinished because of their age alone. */
  readonly settledUntil: number;
  readonly isExactQuote: boolean;
}

/** Where the exchange's bars come from. */
export interface KlineSource {
  /** Epoch ms, by the clock that judges what is late. */
  now(signal?: AbortSignal): Promise<number>;
  ofDay(symbol: string, range: DayRange, evidence: BarEvidence, signal?: AbortSignal): Promise<DayKlines>;
}

/** The exchange's REST interface: its own clock, pages of a thousand minutes. */
export function klinesByRest(exchange: Exchange): KlineSource {
  const exact = new Map<string, boolean>();
  const isExact = async (symbol: string, signal?: AbortSignal): Promise<boolean> => {
    const known = exact.get(symbol);
    if (known !== undefined) return known;
    const [info] = await exchange.symbols([symbol], signal);
    const isExactQuote = info === undefined || hasExactQuote(info);
    exact.set(symbol, isExactQuote);
    return isExactQuote;
  };
  return {
    now: (signal) => exchange.serverTime(signal),
    ofDay: async (symbol, { from, to }, _evidence, signal) => {
      // Before the bars are asked for: they can only be older than this says, never younger.
      const settledUntil = (await exchange.serverTime(signal)) - restSettlesMs;
      const klines: Kline[] = [];
      for (let startTime = from; startTime < to; startTime += pageMinutes * minuteMs) {
        const endTime = Math.min(startTime + pageMinutes * minuteMs, to) - minuteMs;
        klines.push(...(await exchange.klines({ symbol, startTime, endTime }, signal)));
      }
      return { klines, settledUntil, isExactQuote: await isExact(symbol, signal) };
    },
  };
}

/**
 * The exchange's archive: complete once it is published, and it needs no other answer of the exchange. The clock is this
 * computer's: whether a day's file may still be on its way is a question of days.
 */
export function klinesByArchive(archive: KlineArchive, clock: Clock): KlineSource {
  return {
    now: () => Promise.resolve(clock.now()),
    ofDay: async (symbol, { from }, evidence, signal) => {
      const day = dayOf(from);
      const klines = await archive.klinesOfDay(symbol, day, signal);
      if (klines !== undefined)
        return { klines, settledUntil: Infinity, isExactQuote: !hasFineQuotes(evidence) };
      if (clock.now() < dayAfter(day) + archiveSettlesMs)
        return { klines: [], settledUntil: -Infinity, isExactQuote: true };
      throw new JobFailedError(`The archive has no one-minute klines of ${symbol} for ${dayText(day)}`, {
        nextStep: 'Compare with --against rest, or leave the day out by --from and --to.',
      });
    },
  };
}

/**
 * True where price × quantity of this symbol does not fit 8 decimals: our quote volumes are its exact sums, so they show it
 * themselves. One bar in ten is asked for, so that a single falsified one does not excuse itself; of the real ones nine in
 * ten and more do (the sum would have to end in zeros by chance).
 */
function hasFineQuotes({ bars }: BarEvidence): boolean {
  const fine = bars.filter(({ quoteVolume }) => /\.\d{8}0*[1-9]/.test(quoteVolume));
  return fine.length > 0 && fine.length * 10 >= bars.length;
}
