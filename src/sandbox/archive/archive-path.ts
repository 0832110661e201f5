import { symbolPattern } from '../../core/symbol.js';

/** A file of the archive: the trades or the minute klines of one day, or the checksum beside it. */
export interface ArchivePath {
  readonly symbol: string;
  readonly type: 'aggTrades' | '1m';
  /** Epoch ms at which the day begins. */
  readonly day: number;
  /** Without its ending: `BTCUSDT-aggTrades-2024-08-08`. */
  readonly name: string;
  readonly isChecksum: boolean;
}

const folder = `(?:(aggTrades)/(${symbolPattern})|klines/(${symbolPattern})/(1m))`;
const file = `((${symbolPattern})-(aggTrades|1m)-(\\d{4}-\\d\\d-\\d\\d))\\.zip(\\.CHECKSUM)?`;
const PATH = new RegExp(`^/data/spot/daily/${folder}/${file}$`, 'u');

/** Reads `/data/spot/daily/aggTrades/<SYM>/…zip` and `/data/spot/daily/klines/<SYM>/1m/…zip`; undefined for other paths. */
export function parseArchivePath(path: string): ArchivePath | undefined {
  const [, trades, tradesOf, klinesOf, minutes, name, symbol, type, date, checksum] =
    PATH.exec(decoded(path)) ?? [];
  const day = Date.parse(`${date ?? ''}T00:00:00Z`);
  if (name === undefined || symbol === undefined || Number.isNaN(day)) return undefined;
  if (symbol !== (tradesOf ?? klinesOf) || type !== (trades ?? minutes)) return undefined;
  const kind = type === '1m' ? '1m' : 'aggTrades';
  return { symbol, type: kind, day, name, isChecksum: checksum !== undefined };
}

/** Names of other alphabets arrive percent-encoded; what is no encoding is no path. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return '';
  }
}
