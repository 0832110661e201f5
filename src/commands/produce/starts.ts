import { UnknownSymbolError } from '../../core/errors.js';
import type { Clock } from '../../core/ports/clock.js';
import type { Outages } from '../../core/outages.js';
import type { Produced, TickSink, Topics } from '../../core/ports/topic.js';
import type { ProgressCounter } from '../../core/produce-progress.js';
import { retrying } from '../../core/retry.js';
import type { StartPoint } from '../../core/start-point.js';
import type { Feed } from './feed.js';
import { isRefusal, problemOf } from './fetch.js';
import type { SymbolStart } from './start.js';
import { nameStatuses } from './symbol-watch.js';

interface StartPorts {
  readonly feed: Feed;
  readonly topics: Pick<Topics, 'produced'>;
  readonly sink: Pick<TickSink, 'open'>;
  readonly clock: Clock;
  readonly outages: Outages;
}

interface StartOptions {
  readonly symbols: readonly string[];
  readonly from: StartPoint;
  readonly ignoreCursor: boolean;
  readonly signal: AbortSignal;
}

/** Kafka may be gone for so long when a producer starts, ms. */
const startPatienceMs = 15_000;

interface StartTools {
  readonly progress: ProgressCounter;
  /** Called as soon as it is found: a thousand symbols take more than a minute of the request limit. */
  readonly onStart: (start: SymbolStart) => void;
}

/**
 * Where each symbol begins, in the order of the symbols. What is wrong with all is found here, before anything is sent; a symbol
 * that the exchange does not list, or of which it refuses calls, is named and left out.
 *
 * @throws UsageError where no symbol is left.
 */
export async function findStarts(
  { feed, sink, topics, clock, outages }: StartPorts,
  options: StartOptions,
  { progress, onStart }: StartTools,
): Promise<{ readonly starts: readonly SymbolStart[]; readonly produced: Produced }> {
  const { from, signal } = options;
  const listed = await feed.listed(options.symbols, signal);
  const symbols = listed.map(({ symbol }) => symbol);
  if (symbols.length === 0) throw unknown(options.symbols);
  nameStatuses(progress.problems, { symbols: options.symbols, listed }, clock.now());
  await feed.check?.(symbols, signal);
  const patience = { system: 'kafka', clock, outages, giveUpAfterMs: startPatienceMs, signal };
  await retrying(() => sink.open(), patience);
  const produced = await topics.produced(signal);
  const cursors = options.ignoreCursor ? [] : produced.cursors;
  const refusals: Error[] = [];
  const starts = await Promise.all(
    symbols.map(async (symbol) => {
      try {
        const start = await feed.begin(symbol, { from, cursors }, signal);
        if (!signal.aborted) onStart(start);
        return [start];
      } catch (error) {
        if (!isRefusal(error)) throw error;
        refusals.push(error);
        progress.problems.begin(symbol, ...problemOf(error), clock.now());
        return [];
      }
    }),
  );
  const [refusal] = refusals;
  if (refusals.length === symbols.length && refusal !== undefined) throw refusal;
  return { starts: starts.flat(), produced };
}

function unknown(symbols: readonly string[]): UnknownSymbolError {
  const [first = ''] = symbols;
  const what =
    symbols.length === 1 ? `no symbol ${first}` : `none of the symbols ${symbols.slice(0, 20).join(', ')}`;
  return new UnknownSymbolError(`The exchange lists ${what}`, first, {
    nextStep: 'Correct --symbols or CRYPTO_SYMBOL; a symbol that was delisted has no new trades.',
  });
}
