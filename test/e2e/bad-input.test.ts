import { createHash, randomBytes } from 'node:crypto';
import kafkajs, { type Producer } from 'kafkajs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { JobRun } from '../../src/core/ports/runs.js';
import { openLake, type LakeCopy } from '../support/lake.js';
import { aPipeline, eventually, type Pipeline } from '../support/pipeline.js';
import { countsOf, stateOf } from '../support/warehouse-state.js';

type Message = Readonly<Record<string, unknown>>;

const begin = Date.UTC(2024, 7, 8, 12);
/** A trade of one of the minutes; its content follows from its id. */
const trade = (id: number, minute: number, changes: Message = {}): Message => ({
  source: 'binance-spot',
  symbol: 'BTCUSDT',
  price: `${60_000 + id}.10000000`,
  quantity: '0.00200000',
  eventTime: begin + minute * 60_000 + id,
  aggTradeId: id,
  firstTradeId: 2 * id,
  lastTradeId: 2 * id + 1,
  buyerIsMaker: false,
  ...changes,
});
const without = (field: string): Message =>
  Object.fromEntries(Object.entries(trade(900, 0)).filter(([name]) => name !== field));
const json = (message: Message): string => JSON.stringify(message);
/** A good trade with one field that JSON.stringify could not write. */
const withRaw = (field: string, text: string): string =>
  json(trade(900, 0, { [field]: '@' })).replace('"@"', text);

const reasons = {
  empty: 'empty message',
  broken: 'not a JSON object',
  source: 'source is missing or not a name',
  symbol: 'symbol is missing or not a name',
  id: 'aggTradeId is missing or not in 0 to 2^53-1',
  time: 'eventTime is missing or not between 2017 and a day after its arrival',
  rawIds: 'firstTradeId or lastTradeId is missing',
  rawRange: 'firstTradeId or lastTradeId is not in 0 to 2^53-1',
  order: 'lastTradeId is below firstTradeId',
  span: 'spans a million raw trades or more',
  maker: 'buyerIsMaker is missing or not a boolean',
  price: 'price is missing or not a decimal of at most 12 and 8 digits',
  quantity: 'quantity is missing or not a decimal of at most 12 and 8 digits',
  zeroPrice: 'price is zero',
  zeroQuantity: 'quantity is zero',
  amount: 'price times quantity is 10^15 or more',
} as const;

/** What is sent, and why it must be rejected. */
const bad: readonly (readonly [Buffer | string | null, keyof typeof reasons])[] = [
  [null, 'empty'],
  ['', 'broken'],
  ['no JSON at all', 'broken'],
  ['[1, 2]', 'broken'],
  ['"BTCUSDT"', 'broken'],
  ['null', 'broken'],
  [json(trade(900, 0)).slice(0, -20), 'broken'],
  [randomBytes(900 * 1024), 'broken'],
  [Buffer.alloc(2000), 'broken'],
  ['['.repeat(20_000), 'broken'],
  ['{}', 'source'],
  [json(without('source')), 'source'],
  [json(without('symbol')), 'symbol'],
  [json(without('price')), 'price'],
  [json(without('quantity')), 'quantity'],
  [json(without('eventTime')), 'time'],
  [json(without('aggTradeId')), 'id'],
  [json(without('firstTradeId')), 'rawIds'],
  [json(without('lastTradeId')), 'rawIds'],
  [json(without('buyerIsMaker')), 'maker'],
  [json(trade(900, 0, { symbol: 'BTC\u0000USDT' })), 'symbol'],
  [json(trade(900, 0, { symbol: 'BTCUSDT\n' })), 'symbol'],
  [json(trade(900, 0, { symbol: { name: 'BTCUSDT' } })), 'symbol'],
  [withRaw('symbol', '"\\ud800"'), 'symbol'],
  [json(trade(-1, 0)), 'id'],
  [withRaw('aggTradeId', '9223372036854775807'), 'id'],
  [withRaw('aggTradeId', '9223372036854775808'), 'id'],
  [withRaw('aggTradeId', '9007199254740992'), 'id'],
  [json(trade(900, 0, { aggTradeId: 'many' })), 'id'],
  [withRaw('lastTradeId', '9223372036854775807'), 'rawRange'],
  [json(trade(900, 0, { firstTradeId: 10, lastTradeId: 9 })), 'order'],
  [json(trade(900, 0, { firstTradeId: 1, lastTradeId: 1_000_000_000 })), 'span'],
  [json(trade(900, 0, { price: 'much' })), 'price'],
  [json(trade(900, 0, { price: '1'.repeat(40) })), 'price'],
  [json(trade(900, 0, { price: `0.${'1'.repeat(40)}` })), 'price'],
  [json(trade(900, 0, { price: '-1.5' })), 'price'],
  [json(trade(900, 0, { price: '0.00000000' })), 'zeroPrice'],
  [json(trade(900, 0, { price: 'NaN' })), 'price'],
  [json(trade(900, 0, { quantity: '-0.1' })), 'quantity'],
  [json(trade(900, 0, { price: '999999999999', quantity: '999999999999' })), 'amount'],
  [json(trade(900, 0, { quantity: '0' })), 'zeroQuantity'],
  [json(trade(900, 0, { eventTime: Date.UTC(9999, 11, 31) })), 'time'],
  [json(trade(900, 0, { eventTime: Date.UTC(2016, 11, 31) })), 'time'],
  [json(trade(900, 0, { eventTime: begin * 1000 })), 'time'],
  [json(trade(900, 0, { buyerIsMaker: 'perhaps' })), 'maker'],
];

/** What parses and contradicts what was counted before. */
const conflicting = [trade(5, 1, { price: '1.00000000' }), trade(700, 1)];

const dayMs = 86_400_000;
/** All in order, and hard on the warehouse: one trade on each day since 2017, each with a partition of its own. */
const spread = Array.from({ length: Math.floor((Date.now() - Date.UTC(2017, 0, 1)) / dayMs) }, (_, day) =>
  trade(day, 0, { symbol: 'SPREADUSDT', eventTime: Date.UTC(2017, 0, 1) + day * dayMs }),
);
const good = 10 + spread.length;

let pipeline: Pipeline;
let producer: Producer;
let run: JobRun;
let lake: LakeCopy;
let before: Awaited<ReturnType<typeof stateOf>>;
let afterBad: Awaited<ReturnType<typeof stateOf>>;
let firstBad: number;

/** Sends to one partition, so that the order holds; gives the offset of the first. */
async function send(values: readonly (Buffer | string | null)[]): Promise<number> {
  const messages = values.map((value) => ({ key: 'BTCUSDT', value, partition: 0 }));
  const [sent] = await producer.send({ topic: pipeline.topic, messages });
  return Number(sent?.baseOffset);
}
const sendTrades = (...trades: readonly Message[]): Promise<number> => send(trades.map(json));
const finalBars = async (): Promise<number> =>
  (
    await pipeline.rows(
      `SELECT 1 FROM crypto.crypto_prices_agg_1min WHERE finalized_at IS NOT NULL AND symbol = 'BTCUSDT'`,
    )
  ).length;

beforeAll(async () => {
  pipeline = await aPipeline('bad_input');
  const kafka = new kafkajs.Kafka({
    brokers: [...pipeline.config.kafka.brokers],
    logLevel: kafkajs.logLevel.NOTHING,
  });
  producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  await sendTrades(trade(1, 0), trade(2, 0), trade(3, 0), trade(4, 1), trade(5, 1), trade(6, 1), trade(7, 2));
  run = await pipeline.submit();
  await eventually('the first final bar', async () => ((await finalBars()) === 1 ? true : undefined));
  before = await stateOf(pipeline);

  firstBad = await send(bad.map(([value]) => value));
  await sendTrades(...conflicting);
  await eventually('the end of the bad input', async () => {
    const { rejected, conflicted } = await countsOf(pipeline, 'hot');
    return rejected >= bad.length && conflicted >= conflicting.length ? true : undefined;
  });
  afterBad = await stateOf(pipeline);

  await sendTrades(...spread, trade(8, 2), trade(9, 2), trade(10, 3));
  await eventually('the second final bar', async () => ((await finalBars()) === 2 ? true : undefined));
  const [{ latest } = { latest: 0n }] = await pipeline.app.topics.offsets(pipeline.topic);
  await eventually('all in the lake', async () =>
    (await pipeline.app.barStore.committedOffsets('lake')).some(({ next }) => next === latest)
      ? true
      : undefined,
  );
  await pipeline.run(['stop', run.runId, '--timeout', '200']);
  lake = await openLake(pipeline.app.files, pipeline.folder);
});
afterAll(async () => {
  await pipeline.close();
  await producer.disconnect();
  await lake.close();
});

it('changes no trade, no bar and no coverage', () => {
  expect(before).toMatchObject({ trades: { rows: 7 }, bars: { rows: 3 }, coverage: { rows: 1 } });
  expect(afterBad).toEqual(before);
});

it('does not stop the stream: what is sent after it is counted', async () => {
  expect(await countsOf(pipeline, 'hot')).toEqual({
    counted: good,
    repeated: 1,
    conflicted: conflicting.length,
    rejected: bad.length,
  });
  expect(
    await pipeline.rows(
      `SELECT (extract(epoch FROM window_start) * 1000)::int8 AS start, finalized_at IS NOT NULL AS is_final,
         open_price, close_price, volume::text, trade_count
       FROM crypto.crypto_prices_agg_1min WHERE symbol = 'BTCUSDT' ORDER BY window_start`,
    ),
  ).toEqual(
    [
      [0, false, 1, 3],
      [1, true, 4, 6],
      [2, true, 7, 9],
      [3, false, 10, 10],
    ].map(([minute, isFinal, first, last]) => ({
      start: begin + Number(minute) * 60_000,
      is_final: isFinal,
      open_price: `${60_000 + Number(first)}.10000000`,
      close_price: `${60_000 + Number(last)}.10000000`,
      volume: (0.002 * (Number(last) - Number(first) + 1)).toFixed(8),
      trade_count: 2 * (Number(last) - Number(first) + 1),
    })),
  );
});

it('does not run out of locks where one batch needs a partition for every day of nine years', async () => {
  expect(
    await pipeline.rows(
      `SELECT count(*) AS bars, count(finalized_at) AS final_bars FROM crypto.crypto_prices_agg_1min WHERE symbol = 'SPREADUSDT'`,
    ),
  ).toEqual([{ bars: spread.length, final_bars: spread.length - 1 }]);
});

it('is kept in rejected/, each message as it came, with its reason and its place in Kafka', async () => {
  const rejected = await lake.rows(
    `SELECT topic, "partition", "offset", reject_reason, sha256(value) AS content FROM rejected ORDER BY "offset"`,
  );
  expect(rejected).toEqual(
    bad.map(([value, reason], index) => ({
      topic: pipeline.topic,
      partition: 0,
      offset: String(firstBad + index),
      reject_reason: reasons[reason],
      content: value === null ? null : createHash('sha256').update(value).digest('hex'),
    })),
  );
});

it('is in raw/ too, every offset once, and not in clean/', async () => {
  const all = good + conflicting.length + bad.length;
  expect(
    await lake.rows(
      'SELECT count(*) AS n, count(DISTINCT "offset") AS offsets, max("offset") AS last FROM raw',
    ),
  ).toEqual([{ n: String(all), offsets: String(all), last: String(all - 1) }]);
  expect(await lake.rows('SELECT count(*) AS n FROM clean')).toEqual([
    { n: String(good + conflicting.length) },
  ]);
});

it('is stored as a conflict where it contradicts what was counted', async () => {
  expect(
    await pipeline.rows('SELECT agg_trade_id, reason, price FROM crypto.conflicts ORDER BY agg_trade_id'),
  ).toEqual([
    { agg_trade_id: 5, reason: 'other content', price: '1.00000000' },
    { agg_trade_id: 700, reason: 'final minute', price: '60700.10000000' },
  ]);
});
