import { sampleSource } from './bar-proof.js';
import type { SymbolFreshness } from './ports/bars.js';
import type { Cursor } from './ports/topic.js';
import { isTickerSource } from './price-sample.js';
import { shortDuration, type Finding } from './report.js';

/** Data of a running feed are stale when they are older than this, and something newer was there to be counted. */
const staleAfterMs = 5 * 60_000;
/** So long a trade may take from the exchange to the warehouse before it counts as one that was not fetched. */
const arrivalMs = 60_000;

/** A symbol whose age alone does not tell: a quiet market looks like a feed that hangs. */
export interface QuietSymbol {
  readonly source: string;
  readonly symbol: string;
  /** Of the newest trade that was counted, epoch ms. */
  readonly newestTradeAt: number;
}

/** When the first trade after the newest counted one was made, epoch ms; `none` where there is none, `unknown` without an answer. */
export type NextTrade = number | 'none' | 'unknown';

const keyOf = ({ source, symbol }: { readonly source: string; readonly symbol: string }): string =>
  `${source}/${symbol}`;

/** Those that a continuous feed fetches: it has a cursor, and has not ended by order or at the end of its work. */
function fetchedKeys(cursors: readonly Cursor[]): ReadonlySet<string> {
  const newest = new Map<string, Cursor>();
  for (const cursor of cursors.filter(({ feed }) => !feed.startsWith('archive:')))
    if ((newest.get(keyOf(cursor))?.writtenAt ?? -1) < cursor.writtenAt) newest.set(keyOf(cursor), cursor);
  return new Set([...newest].filter(([, { endedBy }]) => endedBy === undefined).map(([key]) => key));
}

/** The symbols of running feeds with no new trade for long: the exchange is asked about them. */
export function quietSymbols(
  freshness: readonly SymbolFreshness[],
  cursors: readonly Cursor[],
  now: number,
): QuietSymbol[] {
  const fetched = fetchedKeys(cursors);
  return freshness.flatMap(({ source, symbol, newestTradeAt }) =>
    newestTradeAt !== undefined &&
    now - newestTradeAt > staleAfterMs &&
    fetched.has(keyOf({ source, symbol }))
      ? [{ source, symbol, newestTradeAt }]
      : [],
  );
}

/** A ticker samples by the clock; of trades only one that was there to be fetched makes the older ones stale. */
function staleProblem(quiet: QuietSymbol, next: NextTrade, now: number): string | undefined {
  const { source, symbol, newestTradeAt } = quiet;
  const isTicker = isTickerSource(source);
  if (!isTicker && (next === 'none' || (next !== 'unknown' && now - next <= arrivalMs))) return undefined;
  const why = isTicker
    ? ''
    : typeof next !== 'number'
      ? ', and the exchange does not say whether there are newer ones'
      : `, and the exchange has had newer ones for ${shortDuration(now - next)}`;
  return `${symbol} of ${source} is stale: its newest ${isTicker ? 'sample' : 'trade'} is ${shortDuration(now - newestTradeAt)} old${why}`;
}

function freshnessLine(one: SymbolFreshness, now: number): string {
  const trade =
    one.newestTradeAt === undefined ? 'none' : `${shortDuration(Math.max(0, now - one.newestTradeAt))} old`;
  const bar =
    one.newestFinalBarAt === undefined
      ? 'none'
      : new Date(one.newestFinalBarAt).toISOString().slice(0, 16).replace('T', ' ') + 'Z';
  if (isTickerSource(one.source))
    return `${one.symbol} (${one.source}): newest sample ${trade}, newest final bar ${bar}`;
  const made = one.source === sampleSource ? ' (sample)' : '';
  return `${one.symbol}${made}: newest trade ${trade}, newest final bar ${bar}, ${one.holes} holes`;
}

/** How new the data of each symbol are, and what is missing in them. `next` belongs to `quiet`, in its order. */
export function findData(
  freshness: readonly SymbolFreshness[],
  now: number,
  quiet: readonly QuietSymbol[] = [],
  next: readonly NextTrade[] = [],
): Finding {
  const stale = quiet.flatMap((one, index) => staleProblem(one, next[index] ?? 'unknown', now) ?? []);
  return {
    summary:
      freshness.length === 0
        ? 'nothing was ever counted'
        : freshness.map((one) => freshnessLine(one, now)).join('; '),
    problems: [
      ...stale,
      ...freshness
        .filter(({ holes }) => holes > 0)
        .map(
          ({ symbol, source, holes, missingIds }) =>
            `${symbol} of ${source}: ${missingIds} trades missing in ${holes} holes; fetch them with \`cryptopipe heal --symbols ${symbol}\``,
        ),
    ],
    facts: { symbols: freshness },
  };
}
