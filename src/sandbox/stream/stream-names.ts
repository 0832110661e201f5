import { isSymbol, upperCase } from '../../core/symbol.js';
import type { TimeScale } from '../answers.js';

/** How many streams a connection may have. */
export const MOST_STREAMS = 1_024;

/** What an address asks for: which streams, whether messages are wrapped with the stream's name, and in which unit times are. */
export interface StreamTarget {
  readonly streams: readonly string[];
  readonly isCombined: boolean;
  readonly scale: TimeScale;
}

/**
 * Reads `/ws`, `/ws/<stream>[/<stream>…]` and `/stream[?streams=<stream>/<stream>…]`, each with `timeUnit`. Undefined
 * where the address is no stream's; too many streams or another time unit are refused so too (assumed).
 */
export function parseTarget(url: URL): StreamTarget | undefined {
  const scale = scaleOf(url.searchParams.get('timeUnit'));
  const path = decoded(url.pathname);
  if (scale === undefined || path === undefined) return undefined;
  const [, root, ...names] = path;
  const isCombined = root === 'stream' && names.length === 0;
  if (root !== 'ws' && !isCombined) return undefined;
  const asked = isCombined ? (url.searchParams.get('streams') ?? '').split('/') : names;
  const streams = [...new Set(asked.filter((name) => name !== ''))];
  return streams.length > MOST_STREAMS ? undefined : { streams, isCombined, scale };
}

/** The parts of a path; undefined where it is not percent-encoded UTF-8. */
function decoded(path: string): string[] | undefined {
  try {
    return path.split('/').map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

function scaleOf(unit: string | null): TimeScale | undefined {
  if (unit === null || /^(MILLISECOND|millisecond)$/.test(unit)) return 1;
  return /^(MICROSECOND|microsecond)$/.test(unit) ? 1000 : undefined;
}

/** Names of any stream look so; the exchange takes names that it does not know, and sends nothing for them. */
export function isStreamName(name: string): boolean {
  return /^[\p{L}\p{M}\p{N}_!][\p{L}\p{M}\p{N}_.!@+:-]{0,79}$/u.test(name);
}

/** The symbol whose aggregate trades a stream carries: `btcusdt@aggTrade`, the symbol in lower case. */
export function tradedSymbol(stream: string): string | undefined {
  const name = /^(.+)@aggTrade$/.exec(stream)?.[1];
  const symbol = name === undefined || /[A-Z]/.test(name) ? undefined : upperCase(name);
  return symbol !== undefined && isSymbol(symbol) ? symbol : undefined;
}
