import { JobFailedError, UnreachableError, UsageError } from '../../core/errors.js';
import { dividesMinute, intervalsAround, priceSample, tickerSource } from '../../core/price-sample.js';
import type { Clock } from '../../core/ports/clock.js';
import type { Outages } from '../../core/outages.js';
import type { Exchange, SymbolPrice } from '../../core/ports/exchange.js';
import type { Cursor } from '../../core/ports/topic.js';
import { ExchangeClock } from './exchange-clock.js';
import { newestCursor, type Feed, type FeedTools } from './feed.js';
import type { SymbolStart } from './start.js';

/** The feed's name in the keys of the cursors. */
const name = 'ticker';

/** Slots without an answer that make an outage; one may be chance. */
const outageSlots = 2;

export interface TickerPorts {
  readonly exchange: Exchange;
  readonly clock: Clock;
  readonly outages: Outages;
}

interface Ticker {
  readonly outages: Outages;
  readonly exchange: Exchange;
  readonly time: ExchangeClock;
  readonly intervalMs: number;
}

/**
 * The last price of each symbol once in every interval, all symbols in one request. Time is cut into slots by the exchange's
 * clock; a sample's id is the slot it was asked for, fixed before the request. An answer that fails or comes after the end of
 * its slot is missed: it is counted, and neither sent late nor asked for again. So is the slot of a symbol that is not traded:
 * its last price is none of now.
 */
export function tickerFeed(
  { exchange, clock, outages }: TickerPorts,
  { intervalMs }: { readonly intervalMs: number },
): Feed {
  const ticker = { exchange, outages, intervalMs, time: new ExchangeClock(exchange, clock) };
  let measured: Promise<void> | undefined;
  return {
    name,
    source: tickerSource(intervalMs),
    listed: async (symbols, signal) => {
      requireWholeSlots(intervalMs);
      return exchange.symbols(symbols, signal);
    },
    begin: async (symbol, { cursors }, signal) => {
      await (measured ??= ticker.time.measure(signal));
      return startOf(ticker, symbol, cursors);
    },
    run: (starts, tools) => sampleSlots(ticker, starts, tools),
  };
}

/** @throws UsageError: then some minutes would have more slots than others. */
function requireWholeSlots(intervalMs: number): void {
  if (dividesMinute(intervalMs)) return;
  const near = intervalsAround(intervalMs).join(' or ');
  throw new UsageError(`A minute is not a whole number of slots of ${intervalMs} ms`, {
    nextStep: `Take ${near} for --interval (or CRYPTO_POLL_INTERVAL_MS): the ticker's bars count samples.`,
  });
}

/** The next whole slot, and never one that Kafka has already: the same slot twice could have two prices. */
function startOf({ time, intervalMs }: Ticker, symbol: string, cursors: readonly Cursor[]): SymbolStart {
  const cursor = newestCursor(cursors, { source: tickerSource(intervalMs), symbol, feeds: [name] });
  const now = time.now();
  if (cursor !== undefined && cursor.eventTime > now + 60_000)
    throw new JobFailedError(
      `The cursor of ${symbol} stands at ${new Date(cursor.eventTime).toISOString()}, ahead of the exchange's clock (${new Date(now).toISOString()})`,
      { nextStep: 'The topic holds samples of another exchange. Name that one, or use --ignore-cursor.' },
    );
  const nextId = Math.max(Math.floor(now / intervalMs) + 1, (cursor?.aggTradeId ?? -1) + 1);
  return { symbol, nextId, newest: undefined, reason: 'slot', cursor };
}

async function sampleSlots(ticker: Ticker, starts: readonly SymbolStart[], tools: FeedTools): Promise<void> {
  const { time, intervalMs } = ticker;
  const { clock, progress, signal } = tools;
  const symbols = starts.map(({ symbol }) => symbol);
  const isStopped = (): boolean => signal.aborted;
  const miss = (count: number): void => symbols.forEach((symbol) => progress.missed(symbol, count));
  for (const symbol of symbols) progress.setLive(symbol, true);
  let slot = Math.max(...starts.map(({ nextId }) => nextId));
  let lastAnswer = { slot: slot - 1, at: clock.now() };
  while (!isStopped()) {
    await clock.sleep(slot * intervalMs - time.now(), signal);
    if (isStopped()) return;
    const current = Math.floor(time.now() / intervalMs);
    // Where the wait was longer than wanted (a computer that slept, a queue that was full), whole slots are over.
    if (current > slot) miss(current - slot);
    slot = Math.max(slot, current);
    const sampling = await sampleSlot(ticker, { slot, symbols }, tools);
    if (isStopped()) return;
    if (sampling !== 'sampled') miss(1);
    if (sampling === 'sampled') lastAnswer = { slot, at: clock.now() };
    else if (sampling === 'unanswered' && slot - lastAnswer.slot >= outageSlots)
      reportOutage(ticker, slot - lastAnswer.slot, lastAnswer.at, clock.now());
    if (time.isOld) await within(intervalMs, tools, (end) => time.measure(end));
    slot += 1;
  }
}

/** A request that ends with its slot never becomes an outage by itself, however many slots pass. */
function reportOutage({ outages, intervalMs }: Ticker, slots: number, since: number, now: number): void {
  const reason = `The exchange gave no prices within their slots of ${intervalMs} ms, ${slots} times in a row`;
  outages.failed('exchange', reason, now, { part: undefined, since });
}

interface Slot {
  readonly slot: number;
  readonly symbols: readonly string[];
}

/** `late`: there was no room before the end of the slot, because Kafka takes too little. */
type Sampling = 'sampled' | 'unanswered' | 'late';

async function sampleSlot(ticker: Ticker, { slot, symbols }: Slot, tools: FeedTools): Promise<Sampling> {
  const { queue, progress, signal } = tools;
  const { exchange, time, intervalMs } = ticker;
  if (!(await queue.reserve(symbols.length))) return 'late';
  const leftMs = (slot + 1) * intervalMs - time.now();
  let sent = 0;
  try {
    if (leftMs <= 0) return 'late';
    const prices = await within(leftMs, tools, (end) => exchange.prices(symbols, end));
    if (prices === undefined || time.now() >= (slot + 1) * intervalMs || signal.aborted) return 'unanswered';
    const now = tools.clock.now();
    for (const { symbol } of prices) progress.answered(symbol, now);
    const traded = prices.filter(
      (price) => isTraded(price) && !progress.problems.has(price.symbol, 'halted'),
    );
    for (const price of traded) queue.put([priceSample(price, slot, intervalMs)]);
    sent = traded.length;
    const sampled = new Set(traded.map(({ symbol }) => symbol));
    for (const symbol of symbols) if (!sampled.has(symbol)) progress.missed(symbol, 1);
    return 'sampled';
  } finally {
    queue.release(symbols.length - sent);
  }
}

const isTraded = ({ price }: SymbolPrice): boolean => !/^0+(?:\.0+)?$/.test(price);

/** What `work` gives before the time is over; undefined where it does not, or where a later try may help. */
async function within<T>(
  ms: number,
  { clock, signal }: FeedTools,
  work: (end: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  if (ms <= 0) return undefined;
  const over = new AbortController();
  const end = (): void => over.abort(signal.reason);
  signal.addEventListener('abort', end, { once: true });
  void clock.sleep(ms, over.signal).then(end);
  try {
    return await work(over.signal);
  } catch (error) {
    if (over.signal.aborted || (error instanceof UnreachableError && error.retryable)) return undefined;
    throw error;
  } finally {
    signal.removeEventListener('abort', end);
    over.abort();
  }
}
