import { JobFailedError, UsageError } from '../../core/errors.js';
import { subtractRanges } from '../../core/id-ranges.js';
import type { IdRange, SymbolCoverage } from '../../core/ports/bars.js';
import type { Exchange, TradeQuery } from '../../core/ports/exchange.js';
import type { StartPoint } from '../../core/start-point.js';
import type { Tick } from '../../core/tick.js';
import type { WeightPurse } from './weight-purse.js';

/** An end of the wanted range: a time (epoch ms) or an id. */
export type Bound = Exclude<StartPoint, { readonly kind: 'now' }>;

/** The wanted range, `to` not included; a missing end is that of what is counted. */
export interface WantedRange {
  readonly from: Bound | undefined;
  readonly to: Bound | undefined;
}

/** What of one symbol is missing. */
export interface SymbolPlan {
  readonly symbol: string;
  /** What the exchange should have, in order. */
  readonly missing: readonly IdRange[];
  /** What lies above its newest trade. */
  readonly notYet: readonly IdRange[];
}

export interface PlanTools {
  readonly exchange: Pick<Exchange, 'trades'>;
  readonly purse: WeightPurse;
  readonly signal: AbortSignal;
}

/**
 * Which ids of the wanted range are not counted. Asks the exchange nothing where no id is missing inside the coverage and no
 * end of the range is named.
 *
 * @throws UsageError where nothing says where the range begins; JobFailedError where the exchange is not the one whose trades
 * are counted.
 */
export async function planSymbol(
  tools: PlanTools,
  symbol: string,
  coverage: SymbolCoverage | undefined,
  wanted: WantedRange,
): Promise<SymbolPlan> {
  const newest = onceOnly(async () => (await ask(tools, { symbol, limit: 1 })).at(-1)?.aggTradeId ?? -1);
  const idAt = async (bound: Bound): Promise<number> => {
    if (bound.kind === 'id') return bound.id;
    const [first] = await ask(tools, { symbol, limit: 1, startTime: bound.time });
    return first?.aggTradeId ?? (await newest()) + 1;
  };
  const counted = coverage?.ranges ?? [];
  const [lowest, highest] = [counted[0]?.firstId, counted.at(-1)?.lastId];
  const firstId = wanted.from === undefined ? lowest : await idAt(wanted.from);
  if (firstId === undefined) throw nothingCounted(symbol);
  const lastId = wanted.to === undefined ? (highest ?? (await newest())) : (await idAt(wanted.to)) - 1;
  const missing = firstId > lastId ? [] : subtractRanges([{ firstId, lastId }], counted);
  if (missing.length > 0 && coverage !== undefined) await requireSameHistory(tools, coverage);
  // What is counted was published, so only an id above it can be above the newest.
  if (lastId <= (highest ?? -1)) return { symbol, missing, notYet: [] };
  const beyond = { firstId: (await newest()) + 1, lastId: Infinity };
  const published = subtractRanges(missing, [beyond]);
  return { symbol, missing: published, notYet: subtractRanges(missing, published) };
}

async function ask({ exchange, purse, signal }: PlanTools, query: TradeQuery): Promise<Tick[]> {
  if (!purse.take())
    throw new UsageError(`A request weight of ${purse.max} is spent before all symbols were looked up`, {
      nextStep: 'Nothing was fetched. Give a larger --max-weight, or fewer --symbols.',
    });
  return exchange.trades(query, signal);
}

/** Ids of another exchange under the same source would mix two histories, and nothing could take them apart again. */
async function requireSameHistory(tools: PlanTools, coverage: SymbolCoverage): Promise<void> {
  const { symbol, ranges, newestTradeAt } = coverage;
  const fromId = ranges.at(-1)?.lastId;
  if (fromId === undefined) return;
  const [same] = await ask(tools, { symbol, limit: 1, fromId });
  if (same?.aggTradeId === fromId && (newestTradeAt ?? same.eventTime) === same.eventTime) return;
  const found =
    same === undefined
      ? 'no trade from there on'
      : `trade ${same.aggTradeId} of ${new Date(same.eventTime).toISOString()}`;
  const when = newestTradeAt === undefined ? '' : ` of ${new Date(newestTradeAt).toISOString()}`;
  throw new JobFailedError(
    `The last counted trade of ${symbol} is ${fromId}${when}, where this exchange has ${found}`,
    { nextStep: 'The warehouse holds the trades of another exchange. Name that one by --exchange.' },
  );
}

const nothingCounted = (symbol: string): UsageError =>
  new UsageError(`No trade of ${symbol} was ever counted, so it has no holes`, {
    nextStep: `Begin it with \`cryptopipe produce --symbols ${symbol}\`, or say with --from where it shall begin.`,
  });

function onceOnly<T>(get: () => Promise<T>): () => Promise<T> {
  let known: Promise<T> | undefined;
  return () => (known ??= get());
}
