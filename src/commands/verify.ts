import { finalSpan, holesBetween, indexFrom, judgeMinutes } from '../core/bar-check.js';
import { hasExactQuote } from '../core/bar-fields.js';
import { isGood, type JudgedMinute, type MinuteVerdict } from '../core/minute-verdict.js';
import type { Bar, BarEvidence, BarStore, IdRange } from '../core/ports/bars.js';
import type { Exchange, Kline } from '../core/ports/exchange.js';

const minuteMs = 60_000;
const pageMinutes = 1_000;

export interface VerifyOptions {
  readonly source: string;
  /** Undefined means all symbols of the source. */
  readonly symbols: readonly string[] | undefined;
  /** Epoch ms; bars that start in [from, to). Undefined means from the first, to the last. */
  readonly from: number | undefined;
  readonly to: number | undefined;
  /** The last so many ms of the exchange's clock; stands for `from`. */
  readonly lastMs: number | undefined;
}

/** What was proven of one symbol, and what was not. */
export interface SymbolReport {
  readonly symbol: string;
  readonly bars: number;
  readonly finalBars: number;
  readonly firstFinalBarAt: number | undefined;
  readonly lastFinalBarAt: number | undefined;
  /** Final bars that were held against a bar of the exchange. */
  readonly compared: number;
  /** How many minutes got which verdict. */
  readonly verdicts: Readonly<Record<MinuteVerdict, number>>;
  readonly holes: readonly IdRange[];
  readonly minutes: readonly JudgedMinute[];
  readonly isProven: boolean;
}

export interface VerifyReport {
  readonly source: string;
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly symbols: readonly SymbolReport[];
  /** True where every symbol is proven and at least one final bar of each was compared. */
  readonly isProven: boolean;
}

export interface VerifyPorts {
  readonly bars: BarStore;
  readonly exchange: Exchange;
}

/** Holds the bars of a range of time against their ids, their raw ids and the exchange's own bars. Changes nothing. */
export async function verify(
  { bars, exchange }: VerifyPorts,
  options: VerifyOptions,
  signal?: AbortSignal,
): Promise<VerifyReport> {
  const { source, to, lastMs } = options;
  const from = lastMs === undefined ? options.from : (await exchange.serverTime(signal)) - lastMs;
  const names = options.symbols ?? (await bars.symbols(source));
  const symbols: SymbolReport[] = [];
  for (const symbol of names) {
    signal?.throwIfAborted();
    symbols.push(await verifySymbol({ bars, exchange }, { source, symbol, from, to }, signal));
  }
  const isProven = symbols.length > 0 && symbols.every((report) => report.isProven);
  return { source, from, to, symbols, isProven };
}

type SymbolQuery = Parameters<BarStore['evidence']>[0];

async function verifySymbol(
  ports: VerifyPorts,
  query: SymbolQuery,
  signal?: AbortSignal,
): Promise<SymbolReport> {
  const evidence = await ports.bars.evidence(query);
  const span = finalSpan(evidence.bars);
  const minutes =
    span === undefined
      ? judgeMinutes({ evidence, klines: [], isExactQuote: true })
      : judgeMinutes({
          evidence,
          klines: await klinesFor(ports.exchange, query.symbol, evidence, signal),
          isExactQuote: await readExactQuote(ports.exchange, query.symbol, signal),
        });
  return reportOf(query, evidence, minutes);
}

async function readExactQuote(exchange: Exchange, symbol: string, signal?: AbortSignal): Promise<boolean> {
  const [known] = await exchange.symbols([symbol], signal);
  return known === undefined || hasExactQuote(known);
}

/**
 * The exchange's minutes between our first and last final bar, in pages. A gap of a page and more that is explained by a
 * hole is not asked for: the hole is the finding, and the gap between an old tape and today is a million minutes.
 */
async function klinesFor(
  exchange: Exchange,
  symbol: string,
  evidence: BarEvidence,
  signal?: AbortSignal,
): Promise<Kline[]> {
  const span = finalSpan(evidence.bars);
  const klines: Kline[] = [];
  let start = span?.first ?? Infinity;
  while (span !== undefined && start <= span.last) {
    const afterGap = endOfLostGap(evidence, start);
    if (afterGap !== undefined) {
      start = afterGap;
      continue;
    }
    const endTime = Math.min(start + (pageMinutes - 1) * minuteMs, span.last);
    klines.push(...(await exchange.klines({ symbol, startTime: start, endTime }, signal)));
    start = endTime + minuteMs;
  }
  return klines;
}

function endOfLostGap({ bars, coverage }: BarEvidence, start: number): number | undefined {
  const next = indexFrom(bars, start);
  const [before, after]: [Bar | undefined, Bar | undefined] = [bars[next - 1], bars[next]];
  if (before === undefined || after === undefined) return undefined;
  if (after.windowStart - start < pageMinutes * minuteMs) return undefined;
  const holes = holesBetween(coverage, before.lastAggTradeId, after.firstAggTradeId);
  return holes.length > 0 ? after.windowStart : undefined;
}

function reportOf({ symbol }: SymbolQuery, evidence: BarEvidence, minutes: JudgedMinute[]): SymbolReport {
  const { bars, coverage, lastIdBefore, firstIdAfter } = evidence;
  const span = finalSpan(bars);
  const holes = holesBetween(coverage, lastIdBefore, firstIdAfter);
  const compared = minutes.filter(({ isCompared }) => isCompared).length;
  return {
    symbol,
    bars: bars.length,
    finalBars: bars.filter(({ isFinal }) => isFinal).length,
    firstFinalBarAt: span?.first,
    lastFinalBarAt: span?.last,
    compared,
    verdicts: countVerdicts(minutes),
    holes,
    minutes,
    isProven: compared > 0 && holes.length === 0 && minutes.every(({ verdict }) => isGood(verdict)),
  };
}

function countVerdicts(minutes: readonly JudgedMinute[]): Record<MinuteVerdict, number> {
  const counts: Record<MinuteVerdict, number> = {
    equal: 0,
    'equal (quote cut)': 0,
    quiet: 0,
    edge: 0,
    hole: 0,
    'raw gap': 0,
    disordered: 0,
    unproven: 0,
    different: 0,
  };
  for (const { verdict } of minutes) counts[verdict] += 1;
  return counts;
}
