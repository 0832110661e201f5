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

const PATH =
  /^\/data\/spot\/daily\/(?:(aggTrades)\/([A-Z0-9._]+)|klines\/([A-Z0-9._]+)\/(1m))\/(([A-Z0-9._]+)-(aggTrades|1m)-(\d{4}-\d\d-\d\d))\.zip(\.CHECKSUM)?$/;

/** Reads `/data/spot/daily/aggTrades/<SYM>/…zip` and `/data/spot/daily/klines/<SYM>/1m/…zip`; undefined for other paths. */
export function parseArchivePath(path: string): ArchivePath | undefined {
  const [, trades, tradesOf, klinesOf, minutes, name, symbol, type, date, checksum] = PATH.exec(path) ?? [];
  const day = Date.parse(`${date ?? ''}T00:00:00Z`);
  if (name === undefined || symbol === undefined || Number.isNaN(day)) return undefined;
  if (symbol !== (tradesOf ?? klinesOf) || type !== (trades ?? minutes)) return undefined;
  const kind = type === '1m' ? '1m' : 'aggTrades';
  return { symbol, type: kind, day, name, isChecksum: checksum !== undefined };
}
