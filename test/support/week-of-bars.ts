import type { Pipeline } from './pipeline.js';

const symbols = ['AAAUSDT', 'BBBUSDT', 'CCCUSDT', 'DDDUSDT', 'EEEUSDT'];

/**
 * What seven days of five symbols leave in the tables, up to now: 50,400 bars with their verdicts and coverage (a hole in one
 * symbol), a trade in every ten seconds, and the batches of a stream that commits every half second: 1,209,600 of them.
 * Written by SQL: a stream would take a week.
 */
export async function fillWeek({ rows, topic }: Pick<Pipeline, 'rows' | 'topic'>): Promise<void> {
  const minutes = `
    SELECT symbol, minute, (row_number() OVER (PARTITION BY symbol ORDER BY minute) - 1) * 600 AS id,
      100 + 10 * sin(extract(EPOCH FROM minute) / 7200) AS price
    FROM unnest('{${symbols.join(',')}}'::text[]) AS symbol
    CROSS JOIN generate_series(
      date_trunc('minute', now()) - INTERVAL '7 days', date_trunc('minute', now()) - INTERVAL '1 minute', '1 minute'
    ) AS minute`;
  await rows(
    `INSERT INTO crypto.crypto_prices_agg_1min
     SELECT 'binance-spot', symbol, minute, minute + INTERVAL '1 minute', price, price + 1, price - 1, price + 0.5,
       3, 3 * price, 1, price, 600, 200, id, id + 599, id, id + 599, minute, minute + INTERVAL '61 seconds'
     FROM (${minutes}) AS week`,
  );
  // The newest bar of each symbol is open, and one symbol has a hole.
  await rows(
    `INSERT INTO crypto.coverage
     SELECT 'binance-spot', symbol,
       CASE symbol WHEN 'CCCUSDT' THEN int8multirange(int8range(0, 1000), int8range(1010, max(last_agg_trade_id) + 1))
         ELSE int8multirange(int8range(0, max(last_agg_trade_id) + 1)) END
     FROM crypto.crypto_prices_agg_1min WHERE symbol LIKE '___USDT' GROUP BY symbol`,
  );
  await rows(
    `INSERT INTO crypto.crypto_prices_agg_1min
     SELECT source, symbol, window_start + INTERVAL '1 minute', window_end + INTERVAL '1 minute', 100, 101, 99, 100,
       1, 100, 1, 100, 10, 1, last_agg_trade_id + 1, last_agg_trade_id + 10, last_trade_id + 1, last_trade_id + 10, now(), NULL
     FROM crypto.crypto_prices_agg_1min WHERE symbol LIKE '___USDT'
       AND window_start = date_trunc('minute', now()) - INTERVAL '1 minute'`,
  );
  await rows(
    `INSERT INTO crypto.reconciliations (source, symbol, window_start, verdict, against, is_compared, differences, missing_ids)
     SELECT source, symbol, window_start,
       CASE WHEN first_agg_trade_id % 600000 = 0 THEN 'different' ELSE 'equal' END, 'rest', true,
       CASE WHEN first_agg_trade_id % 600000 = 0 THEN '[{"field": "volume"}]' ELSE '[]' END::jsonb, '{}'
     FROM crypto.crypto_prices_agg_1min WHERE symbol LIKE '___USDT' AND finalized_at IS NOT NULL`,
  );
  await rows(
    `SELECT crypto.ensure_day(day::DATE) FROM generate_series(now() - INTERVAL '8 days', now() + INTERVAL '1 day', '1 day') AS day`,
  );
  await rows(
    `INSERT INTO crypto.crypto_prices_clean
     SELECT source, symbol, first_agg_trade_id + 100 * step + 99, 0, 0, extract(EPOCH FROM window_start) * 1000,
       window_start + step * INTERVAL '10 seconds', open_price, 1, true
     FROM crypto.crypto_prices_agg_1min CROSS JOIN generate_series(0, 5) AS step WHERE symbol LIKE '___USDT'`,
  );
  await rows(
    `INSERT INTO crypto.batches (run_id, query, generation, batch_id, topic, offsets, counted, repeated, conflicted, rejected,
       newest_event_time, committed_at)
     SELECT 'week', 'hot', 'week', row_number() OVER (ORDER BY time), $1, '{}', 25, 1, 0, 0, time - INTERVAL '700 ms', time
     FROM generate_series(now() - INTERVAL '7 days', now(), INTERVAL '500 ms') AS time`,
    [topic],
  );
  await rows('VACUUM ANALYZE');
}
