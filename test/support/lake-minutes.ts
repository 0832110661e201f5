import { createHash } from 'node:crypto';
import { toPartial } from './count-bars.js';
import { tapeRows, type TestTrade } from './count-trades.js';
import { barsOfTape } from './tape-bars.js';

const minuteMs = 60_000;
const minuteOf = ({ time }: TestTrade): number => Math.floor(time / minuteMs) * minuteMs;
const rangesOf = (trades: readonly TestTrade[]): string =>
  `{${trades.map(({ id }) => `[${id},${id}]`).join(',')}}`;

/** 60 bits of a trade's content, as `crypto.content_of` says. */
function contentOf({ id, time, price, isNeutralised }: TestTrade): bigint {
  const fields = isNeutralised
    ? [id, -1, -1, time, 0, 0, id % 3 === 0 ? 1 : 0]
    : [id, 2 * id, 2 * id + 1, time, price * 100_000_000 + 50_000_000, 25_000_000, id % 3 === 0 ? 1 : 0];
  return BigInt(`0x${createHash('md5').update(fields.join(',')).digest('hex').slice(0, 15)}`);
}

/** What the steps held_ids and lake_minutes give of a lake's trades; Spark's part in TypeScript. */
export function lakeMinutes(
  source: string,
  symbol: string,
  lake: readonly TestTrade[],
  options: { readonly known?: readonly number[]; readonly several?: readonly number[] } = {},
): { readonly held: string; readonly minutes: string } {
  const starts = [...new Set([...lake.map(minuteOf), ...(options.known ?? [])])].sort((a, b) => a - b);
  const minutes = starts.map((start) => {
    const theirs = lake.filter((trade) => minuteOf(trade) === start);
    const idsWhere = (is: (minute: number) => boolean): number[] =>
      lake.filter((trade) => is(minuteOf(trade))).map(({ id }) => id);
    const [before, after] = [idsWhere((minute) => minute < start), idsWhere((minute) => minute > start)];
    const [bar] = barsOfTape(tapeRows(theirs), symbol, minuteMs);
    return {
      window_start: new Date(start).toISOString(),
      bar: bar === undefined ? null : toPartial({ ...bar, source }),
      ids: rangesOf(theirs),
      content: theirs.reduce((sum, trade) => sum + contentOf(trade), 0n).toString(),
      has_several_contents: theirs.some(({ id }) => options.several?.includes(id) === true),
      before_id: before.length === 0 ? null : Math.max(...before),
      after_id: after.length === 0 ? null : Math.min(...after),
    };
  });
  return { held: rangesOf(lake), minutes: JSON.stringify(minutes) };
}
