import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createSchema } from '../../src/adapters/postgres-schema.js';
import { createPool, queryRows, type PostgresAddress } from '../../src/adapters/postgres.js';
import type { VerifyReport } from '../../src/commands/verify.js';
import { minuteVerdicts, type JudgedMinute } from '../../src/core/minute-verdict.js';
import { countBars } from '../support/count-bars.js';
import { exactKline, klineStandIn, quietKline, type KlineMarket } from '../support/kline-stand-in.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import type { StandIn } from '../support/rest-stand-in.js';
import { callCli } from '../support/run-cli.js';
import { barsOfTape } from '../support/tape-bars.js';

const symbol = 'BTCUSDT';
const begin = Date.UTC(2024, 0, 1, 12);
const minuteMs = 60_000;
const at = (minute: number): number => begin + minute * minuteMs;
const [quietMinute, haltedMinute, minutes] = [5, 7, 12];

/** Ten trades a minute, each of two raw ones, but for a quiet minute and a halt. Columns as in the exchange's archive. */
const tape: readonly (readonly string[])[] = Array.from({ length: minutes }, (_, minute) => minute)
  .filter((minute) => minute !== quietMinute && minute !== haltedMinute)
  .flatMap((minute, group) =>
    Array.from({ length: 10 }, (_, index) => {
      const id = 100 + group * 10 + index;
      const price = `60000.${String(10 + ((id * 7) % 80))}000000`;
      const quantity = `0.00${String(100 + ((id * 13) % 800))}000`;
      const time = at(minute) + index * 5_000;
      return [
        `${id}`,
        price,
        quantity,
        `${id * 2}`,
        `${id * 2 + 1}`,
        `${time}`,
        id % 3 === 0 ? 'True' : 'False',
        'True',
      ];
    }),
  );
/** The third trade of a minute. */
const tradeOf = (minute: number): readonly string[] =>
  tape.filter(({ 5: time }) => Number(time) >= at(minute))[2]!;

const good: Record<number, string> = Object.fromEntries(
  Array.from({ length: minutes }, (_, minute) => [minute, 'equal']),
);
Object.assign(good, { 0: 'edge', [quietMinute]: 'quiet', [haltedMinute]: 'halt', [minutes - 1]: 'edge' });

let server: TestPostgres;
let exchange: StandIn;
let market: KlineMarket;
let pool: pg.Pool;
let address: PostgresAddress;

beforeAll(async () => {
  server = await startPostgres();
  market = { now: 0, tickSize: '0.01', lotStep: '0.00001', klines: new Map() };
  exchange = await klineStandIn(symbol, market);
});
afterAll(async () => {
  await exchange.close();
  await server.stop();
});

beforeEach(async () => {
  address = await server.database();
  pool = createPool(address);
  const names = { cleanTable: 'crypto.crypto_prices_clean', barTable: 'crypto.crypto_prices_agg_1min' };
  await createSchema(pool, names).migrate();
  market.now = at(minutes) + 3_600_000;
  market.klines.clear();
  for (const bar of barsOfTape(tape, symbol, minuteMs)) market.klines.set(bar.windowStart, exactKline(bar));
  market.klines.set(at(quietMinute), quietKline(at(quietMinute), '60000.10000000'));
  return () => pool.end();
});

/** What the warehouse holds when these rows were counted, by its own functions. */
async function count(rows: readonly (readonly string[])[] = tape): Promise<void> {
  const ids = tape.filter((row) => rows.some(([id]) => id === row[0])).map(([id]) => `[${id},${id}]`);
  await countBars(pool, barsOfTape(rows, symbol, minuteMs), ids);
}

async function falsify(minute: number, change: string): Promise<void> {
  await queryRows(pool, 'ALTER TABLE crypto.crypto_prices_agg_1min DISABLE TRIGGER final_bars_do_not_change');
  await queryRows(pool, `UPDATE crypto.crypto_prices_agg_1min SET ${change} WHERE window_start = $1`, [
    new Date(at(minute)),
  ]);
}

const env = (): Record<string, string> => ({
  PGHOST: address.host,
  PGPORT: String(address.port),
  PGDATABASE: address.database,
  POSTGRES_USER: address.user,
  POSTGRES_PASSWORD: address.password,
});
const callVerify = (...argv: string[]) => callCli(['verify', '--exchange', exchange.url, ...argv], env());

interface Judged {
  readonly exitCode: number;
  readonly verdicts: Record<number, string>;
  readonly minute: (minute: number) => JudgedMinute;
}

async function judge(...argv: string[]): Promise<Judged> {
  const { exitCode, out, err } = await callVerify('--json', ...argv);
  // Words for a person stand beside the JSON exactly where something is not proven.
  expect(err === '').toBe(exitCode === 0);
  const judged = (JSON.parse(out) as VerifyReport).symbols[0]!.minutes;
  return {
    exitCode,
    verdicts: Object.fromEntries(
      judged.map(({ windowStart, verdict }) => [(windowStart - begin) / minuteMs, verdict]),
    ),
    minute: (minute) => judged.find(({ windowStart }) => windowStart === at(minute))!,
  };
}

const saved = () =>
  queryRows<Record<string, unknown>>(
    pool,
    `SELECT window_start, verdict, against, is_compared, differences, missing_ids::text, checked_at
     FROM crypto.reconciliations WHERE source = 'binance-spot' AND symbol = $1 ORDER BY window_start`,
    [symbol],
  );

describe('each minute gets the verdict that it deserves', () => {
  it('good ones, a quiet minute, a halt, and the edges that nothing proves', async () => {
    await count();
    const { exitCode, verdicts } = await judge();
    expect([exitCode, verdicts]).toEqual([0, good]);
  });

  it.each([
    ['open_price', 'open', '0.00000001'],
    ['high_price', 'high', '0.00000001'],
    ['low_price', 'low', '0.00000001'],
    ['close_price', 'close', '0.00000001'],
    ['volume', 'volume', '0.00000001'],
    ['quote_volume', 'quoteVolume', '0.0000000000000001'],
    ['taker_buy_volume', 'takerBuyVolume', '0.00000001'],
    ['taker_buy_quote_volume', 'takerBuyQuoteVolume', '0.0000000000000001'],
  ])('%s off by its last digit', async (column, field, digit) => {
    await count();
    await falsify(3, `${column} = ${column} - ${digit}`);
    const { exitCode, verdicts, minute } = await judge();
    expect([exitCode, verdicts]).toEqual([5, { ...good, 3: 'different' }]);
    expect(minute(3).differences).toMatchObject([{ field, difference: `-${digit}` }]);
  });

  it('trade_count off by one: its raw ids contradict it before the exchange does', async () => {
    await count();
    await falsify(3, 'trade_count = trade_count + 1');
    const { exitCode, verdicts, minute } = await judge();
    expect([exitCode, verdicts]).toEqual([5, { ...good, 3: 'raw gap' }]);
    expect(minute(3).differences).toMatchObject([{ field: 'tradeCount', difference: '1' }]);
  });

  it('a raw trade id that is in no trade', async () => {
    const gone = Number(tradeOf(4)[0]);
    const shifted = tape.map((row) =>
      Number(row[0]) < gone
        ? row
        : row.map((cell, column) => (column === 3 || column === 4 ? `${Number(cell) + 1}` : cell)),
    );
    await count(shifted);
    const { exitCode, verdicts } = await judge();
    expect([exitCode, verdicts]).toEqual([5, { ...good, 4: 'raw gap' }]);
  });

  it('a minute that is not there, although all its ids are covered', async () => {
    await count();
    await queryRows(pool, 'DELETE FROM crypto.crypto_prices_agg_1min WHERE window_start = $1', [
      new Date(at(3)),
    ]);
    const { exitCode, verdicts, minute } = await judge();
    expect([exitCode, verdicts]).toEqual([5, { ...good, 3: 'different' }]);
    expect(minute(3).differences).toMatchObject([{ field: 'bar', theirs: '20 trades' }]);
  });

  it('a hole, with its ids', async () => {
    const missing = Number(tradeOf(9)[0]);
    await count(tape.filter(([id]) => Number(id) < missing || Number(id) > missing + 1));
    const { exitCode, verdicts, minute } = await judge();
    expect([exitCode, verdicts]).toEqual([5, { ...good, 9: 'hole' }]);
    expect(minute(9).missingIds).toEqual([{ firstId: missing, lastId: missing + 1 }]);
    expect((await callVerify()).out).toMatch(
      new RegExp(`12:09.*hole.*missing ids.*${missing}–${missing + 1}`),
    );
  });

  it('a whole minute lost in a hole, and a quiet one that the hole cannot be of', async () => {
    await count(tape.filter(({ 5: time }) => Number(time) < at(4) || Number(time) >= at(5)));
    const { exitCode, verdicts, minute } = await judge();
    expect([exitCode, verdicts]).toEqual([5, { ...good, 3: 'hole', 4: 'hole', 6: 'hole' }]);
    expect(minute(4).differences).toMatchObject([{ field: 'bar', theirs: '20 trades' }]);
  });

  it('ids that interleave with those of the minute before', async () => {
    const astray = tradeOf(3)[0];
    const row = (cells: readonly string[]): readonly string[] =>
      cells[0] === astray ? cells.map((cell, column) => (column === 5 ? `${at(2) + 59_000}` : cell)) : cells;
    await count(tape.map(row));
    const { exitCode, verdicts } = await judge();
    expect([exitCode, verdicts]).toEqual([5, { ...good, 2: 'disordered', 3: 'disordered' }]);
  });

  it('a bar that calls itself final beside an edge, and one that does not although it is proven', async () => {
    await count();
    await falsify(minutes - 1, 'finalized_at = now()');
    await falsify(3, 'finalized_at = NULL');
    const { exitCode, verdicts } = await judge();
    expect([exitCode, verdicts]).toEqual([5, { ...good, 3: 'unproven', [minutes - 1]: 'unproven' }]);
  });

  it('minutes that were asked for and that nothing of ours touches', async () => {
    await count();
    const { exitCode, verdicts } = await judge('--from', `${at(-2)}`, '--to', `${at(minutes + 2)}`);
    const around = { '-2': 'edge', '-1': 'edge', [minutes]: 'edge', [minutes + 1]: 'edge' };
    expect([exitCode, verdicts]).toEqual([0, { ...good, ...around }]);
  });
});

describe('an exchange that is late', () => {
  const last = minutes - 2;
  const missing = (): void => void market.klines.delete(at(last));
  const unfinished = (): void => {
    const kline = market.klines.get(at(last))!;
    market.klines.set(at(last), { ...kline, tradeCount: kline.tradeCount - 1, close: '1.00000000' });
  };

  it.each([
    ['has no bar', missing],
    ['counts fewer trades', unfinished],
  ])('%s for a minute that has just ended: that is no difference', async (_what, change) => {
    await count();
    change();
    market.now = at(last + 1) + 59_999;
    const { exitCode, verdicts } = await judge();
    expect([exitCode, verdicts]).toEqual([0, { ...good, [last]: 'exchange late' }]);
  });

  it.each([
    ['has no bar', missing],
    ['counts fewer trades', unfinished],
  ])('%s a minute after its end: that is a difference', async (_what, change) => {
    await count();
    change();
    market.now = at(last + 1) + minuteMs;
    const { exitCode, verdicts } = await judge();
    expect([exitCode, verdicts]).toEqual([5, { ...good, [last]: 'different' }]);
  });
});

describe('crypto.reconciliations', () => {
  it('holds the newest verdict of each minute, as the report has it', async () => {
    await count(tape.filter((row) => row !== tradeOf(9)));
    await judge();
    const [before] = await saved();
    await falsify(3, 'volume = volume + 1');
    await judge();
    const rows = await saved();
    const verdicts = Object.values({ ...good, 3: 'different', 9: 'hole' });
    expect(rows.map(({ verdict }) => verdict)).toEqual(verdicts);
    expect(rows[3]).toMatchObject({ against: 'rest', is_compared: true });
    expect(rows[3]?.['differences']).toMatchObject([{ field: 'volume', difference: '1' }]);
    expect(rows[9]?.['missing_ids']).toBe(`{[${tradeOf(9)[0]},${Number(tradeOf(9)[0]) + 1})}`);
    expect(Number(rows[0]?.['checked_at'])).toBeGreaterThan(Number(before?.['checked_at']));
  });

  it('stays as it is in a dry run', async () => {
    await count();
    expect((await judge('--dry-run')).verdicts).toEqual(good);
    expect(await saved()).toEqual([]);
  });

  it('admits every verdict that there is, and no other', async () => {
    const [row] = await queryRows<{ text: string }>(
      pool,
      `SELECT pg_get_constraintdef(oid) AS text FROM pg_constraint WHERE conname = 'reconciliations_verdict_check'`,
    );
    const admitted = [...row!.text.matchAll(/'([^']+)'::text/g)].map(([, verdict]) => verdict!);
    expect(admitted.sort()).toEqual([...minuteVerdicts].sort());
  });

  it('is asked for by name where the schema is older', async () => {
    await count();
    await queryRows(pool, 'DROP TABLE crypto.reconciliations');
    const { exitCode, err } = await callVerify();
    expect(exitCode).toBe(3);
    expect(err).toContain('no table crypto.reconciliations');
    expect(err).toContain('cryptopipe init');
    expect((await callVerify('--dry-run')).exitCode).toBe(0);
  });
});
