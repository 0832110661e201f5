import type pg from 'pg';
import { inTransaction } from '../../src/adapters/postgres.js';
import type { Bar } from '../../src/core/ports/bars.js';

/** Brings bars and their trade ids into the warehouse as the job does: through its own functions, in one transaction. */
export async function countBars(pool: pg.Pool, bars: readonly Bar[], ids: readonly string[]): Promise<void> {
  const [{ source, symbol }] = bars as [Bar];
  const wanted = JSON.stringify([{ source, symbol, ids: `{${ids.join(',')}}` }]);
  await inTransaction(pool, async (client) => {
    await client.query('SELECT crypto.lock_coverage($1)', [wanted]);
    await client.query('SELECT crypto.merge_bars($1)', [JSON.stringify(bars.map(toPartial))]);
    await client.query('SELECT crypto.cover($1)', [wanted]);
    await client.query('SELECT crypto.finalize_bars($1)', [wanted]);
  });
}

/** A bar as `crypto.merge_bars` takes it. */
export const toPartial = (bar: Bar) => ({
  source: bar.source,
  symbol: bar.symbol,
  window_start: new Date(bar.windowStart).toISOString(),
  open_price: bar.open,
  high_price: bar.high,
  low_price: bar.low,
  close_price: bar.close,
  volume: bar.volume,
  quote_volume: bar.quoteVolume,
  taker_buy_volume: bar.takerBuyVolume,
  taker_buy_quote_volume: bar.takerBuyQuoteVolume,
  trade_count: bar.tradeCount,
  taker_buy_trade_count: bar.takerBuyTradeCount,
  first_agg_trade_id: bar.firstAggTradeId,
  last_agg_trade_id: bar.lastAggTradeId,
  first_trade_id: bar.firstTradeId,
  last_trade_id: bar.lastTradeId,
});
