import { judgeMinutes } from '../core/bar-check.js';
import { UsageError } from '../core/errors.js';
import type { BarStore } from '../core/ports/bars.js';
import type { Clock } from '../core/ports/clock.js';
import type { Exchange, KlineArchive } from '../core/ports/exchange.js';
import type { ComparedWith, Reconciliations } from '../core/ports/reconciliations.js';
import { daysToJudge, type DayRange, type WantedRange } from './verify/days.js';
import { klinesByArchive, klinesByRest, type DayKlines, type KlineSource } from './verify/klines.js';
import { reportOf, type JudgedDay, type SymbolReport } from './verify/report.js';

export interface VerifyOptions {
  readonly source: string;
  /** Undefined means all symbols of the source. */
  readonly symbols: readonly string[] | undefined;
  /** Epoch ms; minutes that start in [from, to). Undefined means from the first bar, to the last. */
  readonly from: number | undefined;
  readonly to: number | undefined;
  /** The last so many ms; stands for `from`. */
  readonly lastMs: number | undefined;
  /** The exchange's bars: by REST, with its own clock; or from its archive of daily files, with this computer's. */
  readonly against: ComparedWith;
  /** True leaves what earlier calls have found as it is. */
  readonly isDryRun: boolean;
}

export interface VerifyReport {
  readonly source: string;
  readonly against: ComparedWith;
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly symbols: readonly SymbolReport[];
  /** True where every symbol is proven and at least one final bar of each was compared. */
  readonly isProven: boolean;
  /** True where the verdicts stand in the warehouse now. */
  readonly isSaved: boolean;
}

export interface VerifyPorts {
  readonly bars: BarStore;
  readonly exchange: Exchange;
  readonly archive: KlineArchive;
  readonly reconciliations: Reconciliations;
  readonly clock: Clock;
}

/**
 * Gives every minute of a range one verdict, from its ids, its raw ids and the exchange's own bar, and keeps them in the
 * warehouse. A UTC day of a symbol is read, judged and kept at a time. Changes no bar.
 */
export async function verify(
  ports: VerifyPorts,
  options: VerifyOptions,
  signal?: AbortSignal,
): Promise<VerifyReport> {
  const { source, to, against, isDryRun } = options;
  if (/-ticker-\d+$/.test(source))
    throw new UsageError(
      `The bars of ${source} are samples of the price: no bar of the exchange equals them`,
      {
        nextStep: 'Verify a source of trades, such as binance-spot.',
      },
    );
  if (!isDryRun) await ports.reconciliations.check();
  const klines =
    against === 'rest' ? klinesByRest(ports.exchange) : klinesByArchive(ports.archive, ports.clock);
  const from = options.lastMs === undefined ? options.from : (await klines.now(signal)) - options.lastMs;
  const symbols: SymbolReport[] = [];
  for (const symbol of options.symbols ?? (await ports.bars.symbols(source)))
    symbols.push(await verifySymbol(ports, klines, { ...options, symbol, from }, signal));
  const isProven = symbols.length > 0 && symbols.every((report) => report.isProven);
  return { source, against, from, to, symbols, isProven, isSaved: !isDryRun };
}

interface SymbolOptions extends WantedRange {
  readonly against: ComparedWith;
  readonly isDryRun: boolean;
}

async function verifySymbol(
  { bars, reconciliations }: VerifyPorts,
  klines: KlineSource,
  options: SymbolOptions,
  signal?: AbortSignal,
): Promise<SymbolReport> {
  const { source, symbol, from, to, against, isDryRun } = options;
  const days: JudgedDay[] = [];
  for (const range of await daysToJudge(bars, { source, symbol, from, to })) {
    signal?.throwIfAborted();
    const day = await judgeDay(bars, klines, { source, symbol, range }, signal);
    if (!isDryRun) await reconciliations.save({ source, symbol, against, minutes: day.minutes });
    days.push(day);
  }
  return reportOf(symbol, days);
}

/** The exchange is asked only where it has a say: not of a day of which nothing can be proven yet. */
async function judgeDay(
  bars: BarStore,
  klines: KlineSource,
  { source, symbol, range }: { source: string; symbol: string; range: DayRange },
  signal?: AbortSignal,
): Promise<JudgedDay> {
  const evidence = await bars.evidence({ source, symbol, ...range });
  const judge = (day: DayKlines) => judgeMinutes({ evidence, ...range, ...day });
  const alone = judge({ klines: [], settledUntil: -Infinity, isExactQuote: true });
  const isAsked = alone.some(({ verdict }) => needsExchange.has(verdict));
  const minutes = isAsked ? judge(await klines.ofDay(symbol, range, evidence, signal)) : alone;
  return { evidence, minutes };
}

/** What a minute is called without the exchange's bars, where one of them could change the verdict. */
const needsExchange: ReadonlySet<string> = new Set(['exchange late', 'hole', 'raw gap']);
