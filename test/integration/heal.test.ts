import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createBarStore } from '../../src/adapters/postgres-bars.js';
import { createPostgresRuns } from '../../src/adapters/postgres-runs.js';
import { createPool, queryRows } from '../../src/adapters/postgres.js';
import { kafkaTopics } from '../../src/adapters/kafka-topics.js';
import type { HealReport } from '../../src/commands/heal.js';
import { createSchema } from '../../src/adapters/postgres-schema.js';
import { parseAggTrade } from '../../src/core/trade.js';
import { countTicks, countTopic } from '../support/counting-consumer.js';
import { query } from '../support/postgres.js';
import { standIn, wireTrade, type StandIn } from '../support/rest-stand-in.js';
import { callCli } from '../support/run-cli.js';
import { startStack, type TestStack } from '../support/stack.js';

const symbol = 'BTCUSDT';
const newest = 4999;
/** How this exchange differs from one that has every trade: a row in place of another, or none. */
const odd = new Map<number, Record<string, unknown> | undefined>();
let laterMs = 0;
let stack: TestStack;
let exchange: StandIn;
let pool: pg.Pool;
let env: Record<string, string>;
let topic: string;
let tests = 0;

const rowOf = (id: number): Record<string, unknown>[] => {
  const plain = wireTrade(id);
  const row = odd.has(id) ? odd.get(id) : { ...plain, T: (plain['T'] as number) + laterMs };
  return row === undefined ? [] : [row];
};
const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

beforeAll(async () => {
  stack = await startStack({ name: 'heal', portOffset: 6000, only: ['kafka', 'postgres'] });
  exchange = await standIn((_request, response, { searchParams }) => {
    const from = Number(searchParams.get('fromId') ?? newest);
    const rows = range(from, newest)
      .flatMap(rowOf)
      .slice(0, Number(searchParams.get('limit')));
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(rows));
  });
});
afterAll(async () => {
  await exchange.close();
  await stack.stop();
});

beforeEach(async () => {
  topic = `heal_${(tests += 1)}`;
  const address = { ...stack.config.postgres, database: topic };
  await query(stack.config.postgres, `CREATE DATABASE ${topic}`);
  pool = createPool(address);
  const names = { cleanTable: 'crypto.crypto_prices_clean', barTable: 'crypto.crypto_prices_agg_1min' };
  await createSchema(pool, names).migrate();
  env = { ...stack.env, PGDATABASE: topic, KAFKA_TOPIC: topic, CRYPTO_API_URL: exchange.url };
  const topics = kafkaTopics({ ...stack.config.kafka, topic });
  await topics.ensure();
  await topics.close();
  odd.clear();
  laterMs = 0;
  await countIds(0, 399);
  await countIds(3000, 4499);
  return () => pool.end();
});

/** What an earlier run has counted. */
const countIds = (first: number, last: number): Promise<void> =>
  countTicks(
    pool,
    range(first, last).flatMap((id) => parseAggTrade(symbol, wireTrade(id)).tick ?? []),
  );

async function aRunningJob(): Promise<void> {
  const runs = createPostgresRuns(pool);
  await runs.open(
    {
      ...{
        parameters: {},
        request: undefined,
        submittedBy: undefined,
        supervise: false,
        replaces: undefined,
      },
      runId: 'run',
      job: 'streaming',
      templateSha256: 'f00d',
      jobPath: '/jobs/x',
      appName: 'x',
    },
    { single: true },
  );
  await runs.setState('run', 'RUNNING');
}

async function heal(argv: readonly string[] = []): Promise<{ exitCode: number; report: HealReport }> {
  const { exitCode, out, err } = await callCli(
    ['heal', '--json', '--quiet', '--timeout', '60', ...argv],
    env,
  );
  if (out === '') throw new Error(err);
  return { exitCode, report: JSON.parse(out) as HealReport };
}

const coverage = async () => (await createBarStore(pool).coverage('binance-spot'))[0]?.ranges;

describe('cryptopipe heal, on a real Kafka and PostgreSQL', () => {
  it('closes a hole, and then finds nothing more to do', async () => {
    await aRunningJob();
    const counting = await countTopic(pool, { brokers: stack.config.kafka.brokers, topic });
    const { exitCode, report } = await heal();
    await counting.stop();
    expect(exitCode).toBe(0);
    expect(report).toMatchObject({
      isWhole: true,
      requests: 4,
      weight: 16,
      symbols: [{ symbol, missing: [{ firstId: 400, lastId: 2999 }], healedIds: 2600, left: [] }],
    });
    expect(await coverage()).toEqual([{ firstId: 0, lastId: 4499 }]);
    expect(await callCli(['heal'], env)).toEqual({
      exitCode: 0,
      out: 'whole: no id is missing that the exchange has by now\n',
      err: '',
    });
  });

  it('counts all it can, and names what it cannot with the reason', async () => {
    odd.set(700, undefined).set(701, undefined);
    odd.set(1500, { ...wireTrade(1500), p: 7 });
    odd.set(2600, { ...wireTrade(2600), p: '0.00000000' });
    await aRunningJob();
    const counting = await countTopic(pool, { brokers: stack.config.kafka.brokers, topic });
    const { exitCode, report } = await heal(['--to', '5500']);
    await counting.stop();
    expect(exitCode).toBe(5);
    expect(report.symbols[0]).toMatchObject({
      missingIds: 3100,
      healedIds: 3096,
      left: [
        { firstId: 700, lastId: 701, why: 'never published' },
        { firstId: 1500, lastId: 1500, why: 'refused', reason: 'its price `p` is not a decimal text' },
        {
          firstId: 2600,
          lastId: 2600,
          why: 'refused',
          reason: expect.stringMatching(/^sent 3 times/) as string,
        },
        { firstId: 5000, lastId: 5499, why: 'not yet' },
      ],
    });
    expect(await coverage()).toEqual([
      { firstId: 0, lastId: 699 },
      { firstId: 702, lastId: 1499 },
      { firstId: 1501, lastId: 2599 },
      { firstId: 2601, lastId: 4999 },
    ]);
  });

  it('sends nothing and says so at once where no job counts', async () => {
    const { exitCode, out, err } = await callCli(['heal', '--timeout', '600'], env);
    expect([exitCode, out]).toEqual([4, '']);
    expect(err).toBe(
      'error: Nobody counts trades: no streaming job runs\n' +
        'Nothing was fetched. Start one with `cryptopipe submit streaming`.\n',
    );
    const topics = kafkaTopics({ ...stack.config.kafka, topic });
    expect((await topics.offsets(topic)).every(({ latest }) => latest === 0n)).toBe(true);
    await topics.close();
  });

  it('says what is not counted when the time is over', async () => {
    await aRunningJob();
    const { exitCode, report } = await heal(['--timeout', '1']);
    expect([exitCode, report.symbols[0]?.left]).toEqual([
      5,
      [{ firstId: 400, lastId: 2999, why: 'not counted' }],
    ]);
  });

  it('lists what it would do and what that costs', async () => {
    expect(await callCli(['heal', '--dry-run', '--from', '0', '--to', '4600'], env)).toMatchObject({
      exitCode: 0,
      out:
        'BTCUSDT  would fetch: trades 400 to 2999 (2,600)\nBTCUSDT  would fetch: trades 4500 to 4599 (100)\n' +
        'would fetch 2,700 trades with 6 requests of weight 24 together\n',
    });
  });

  it('does not mix in the trades of another exchange', async () => {
    await queryRows(pool, `SELECT crypto.ensure_day('2023-11-14')`);
    await queryRows(
      pool,
      `INSERT INTO crypto.crypto_prices_clean
       SELECT 'binance-spot', $1, 4499, 1, 1, $2::int8, to_timestamp($2::int8 / 1000.0), 1, 1, true`,
      [symbol, wireTrade(4499)['T']],
    );
    laterMs = 1;
    await aRunningJob();
    const { exitCode, err } = await callCli(['heal'], env);
    expect([exitCode, err]).toEqual([
      5,
      expect.stringContaining('The last counted trade of BTCUSDT is 4499 of 2023-11-14T22:20:49.900Z'),
    ]);
  });
});
