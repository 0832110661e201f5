import { setTimeout as sleep } from 'node:timers/promises';
import { readArrivals } from './arrivals.js';
import { live } from './live.js';
import { percentile, type Measure } from './report.js';
import { counted } from './streaming.js';
import type { World } from './world.js';

const bench = 'final';
const warmUpMs = 30_000;
/** So many minutes of ten symbols. */
const minutes = 2;

/** A bar that became final, and the first trade after it: with that trade it can be proven. */
interface FinalBar {
  readonly symbol: string;
  readonly id: string;
  readonly traded_at: Date;
  readonly finalized_at: Date;
}

/** From the first trade of the next minute to the final bar, on a live market, in its parts. */
export async function measureFinal(world: World): Promise<Measure[]> {
  const { runId } = await live(world);
  await counted(world, runId, 1);
  world.say(`warming up for ${warmUpMs / 1000} s, then ${minutes} minutes of final bars`);
  await sleep(warmUpMs);
  const from = Date.now();
  await sleep(minutes * 60_000 + 10_000);
  const arrivals = new Map(
    (await readArrivals(world)).map(({ symbol, aggTradeId, appendedAt }) => [
      `${symbol}/${aggTradeId}`,
      appendedAt,
    ]),
  );
  const bars = (await finalBars(world, from)).map(({ symbol, id, traded_at, finalized_at }) => {
    const appendedAt = arrivals.get(`${symbol}/${id}`) ?? Number.NaN;
    const tradedAt = traded_at.getTime();
    return {
      whole: finalized_at.getTime() - tradedAt,
      before: appendedAt - tradedAt,
      after: finalized_at.getTime() - appendedAt,
    };
  });
  const part = (what: string, of: (bar: (typeof bars)[number]) => number, goal?: string): Measure[] =>
    [0.5, 0.95].map((share) => ({
      bench,
      what: `${what}, p${100 * share}`,
      value:
        percentile(
          bars.map(of).sort((left, right) => left - right),
          share,
        ) / 1000,
      unit: 's',
      note: `${bars.length} bars of ten symbols`,
      ...(goal !== undefined && share === 0.95 ? { goal } : {}),
    }));
  return [
    ...part('first trade of the next minute to the final bar', ({ whole }) => whole, 'under 3'),
    ...part("of it exchange, producer and Kafka's append", ({ before }) => before),
    ...part('of it Spark and PostgreSQL', ({ after }) => after),
  ];
}

async function finalBars(world: World, from: number): Promise<FinalBar[]> {
  const { rows } = await world.pool.query<FinalBar>(
    `SELECT bar.symbol, next.first_agg_trade_id AS id, trade.event_timestamp AS traded_at, bar.finalized_at
     FROM crypto.crypto_prices_agg_1min AS bar
     JOIN LATERAL (
       SELECT first_agg_trade_id FROM crypto.crypto_prices_agg_1min AS later
       WHERE later.source = bar.source AND later.symbol = bar.symbol AND later.window_start > bar.window_start
       ORDER BY later.window_start LIMIT 1
     ) AS next ON true
     JOIN crypto.crypto_prices_clean AS trade
       ON trade.source = bar.source AND trade.symbol = bar.symbol AND trade.agg_trade_id = next.first_agg_trade_id
     WHERE bar.finalized_at > to_timestamp($1 / 1000.0) AND trade.event_timestamp > to_timestamp($1 / 1000.0)`,
    [from],
  );
  return rows;
}
