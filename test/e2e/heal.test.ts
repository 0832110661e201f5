import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HealReport } from '../../src/commands/heal.js';
import { countIds, holdsId } from '../../src/core/id-ranges.js';
import type { IdRange } from '../../src/core/ports/bars.js';
import type { JobRun } from '../../src/core/ports/runs.js';
import type { Tick } from '../../src/core/tick.js';
import { writeTape } from '../../src/sandbox/tapes/write-archive.js';
import { aPipeline, eventually, playTapes, type Pipeline } from '../support/pipeline.js';
import { countsOf } from '../support/warehouse-state.js';

const symbol = 'BTCUSDT';
const trades = 80_000;
const minuteMs = 60_000;
/** 13 before and 13 after the large one; about 1,500 trades make a minute, so some reach over its end. */
const lengths = [
  ...[1, 600, 2, 37, 599, 250, 3, 444, 128, 510, 16, 333, 77],
  ...[1, 581, 90, 5, 600, 210, 402, 1, 64, 365, 20, 498, 301],
];
const large = 24_000;

/** What the first pass loses, in order of id. */
function lostRanges(firstId: number): IdRange[] {
  const at = (index: number, length: number): IdRange => ({
    firstId: firstId + index,
    lastId: firstId + index + length - 1,
  });
  const small = lengths.map((length, number) =>
    at(number < 13 ? 500 + number * 2_200 : 54_500 + (number - 13) * 1_900, length),
  );
  return [...small.slice(0, 13), at(30_000, large), ...small.slice(13)];
}

/** The first pass: the tape without what is lost, through the real sink. */
async function sendWithout(
  pipeline: Pipeline,
  ticks: readonly Tick[],
  lost: readonly IdRange[],
): Promise<void> {
  const kept = ticks.filter(({ aggTradeId }) => !holdsId(lost, aggTradeId));
  for (let from = 0; from < kept.length; from += 1000)
    await pipeline.app.sink.send(kept.slice(from, from + 1000));
}

async function readTape(file: string): Promise<Tick[]> {
  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  return lines.map((line) => {
    const [id, price, quantity, first, last, time, isMaker] = line.split(',');
    return {
      source: 'binance-spot',
      symbol,
      aggTradeId: Number(id),
      firstTradeId: Number(first),
      lastTradeId: Number(last),
      price: price!,
      quantity: quantity!,
      eventTime: Number(time),
      buyerIsMaker: isMaker === 'True',
    };
  });
}

interface StoredBar {
  readonly start: number;
  /** Every column but updated_at and finalized_at. */
  readonly content: string;
  readonly updatedAt: string;
  readonly isFinal: boolean;
}

const barsOf = (pipeline: Pipeline): Promise<StoredBar[]> =>
  pipeline.rows<StoredBar & Record<string, unknown>>(
    `SELECT (extract(epoch FROM window_start) * 1000)::int8 AS start, updated_at::text AS "updatedAt",
       (to_jsonb(bar) - 'updated_at' - 'finalized_at')::text AS content, finalized_at IS NOT NULL AS "isFinal"
     FROM crypto.crypto_prices_agg_1min AS bar ORDER BY window_start`,
  );

describe('heal, on a tape of which the first pass lost 26 small ranges of ids and one of 24,000', () => {
  let folder: string;
  let pipeline: Pipeline;
  let sandbox: Awaited<ReturnType<typeof playTapes>>;
  let ticks: Tick[];
  let lost: IdRange[];
  let before: StoredBar[];
  let run: JobRun;
  const minuteOf = ({ eventTime }: Tick): number => Math.floor(eventTime / minuteMs) * minuteMs;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cryptopipe-heal-'));
    const file = join(folder, `${symbol}-aggTrades-2024-01-01.csv`);
    const begin = Date.UTC(2024, 0, 1);
    const { signal } = new AbortController();
    await writeTape({ symbol, trades, file, seed: 'heal', ratePerSecond: 25, begin, signal });
    sandbox = await playTapes([file]);
    pipeline = await aPipeline('heal', { exchangeUrl: sandbox.url });
    ticks = await readTape(file);
    lost = lostRanges(ticks[0]!.aggTradeId);
    await sendWithout(pipeline, ticks, lost);
    await pipeline.workOff();
    before = await barsOf(pipeline);
  });
  afterAll(async () => {
    await pipeline.close();
    await sandbox.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('finds exactly the lost ranges as holes', async () => {
    expect(lost).toHaveLength(27);
    expect(await pipeline.app.barStore.holes()).toEqual(
      lost.map((range) => ({ source: 'binance-spot', symbol, ...range })),
    );
    expect(await countsOf(pipeline, 'hot')).toMatchObject({ counted: trades - countIds(lost), rejected: 0 });
  });

  it('says what it would fetch, and at once that no job counts', async () => {
    const planned = JSON.parse(await pipeline.run(['heal', '--dry-run', '--json'])) as HealReport;
    expect(planned.symbols).toMatchObject([{ symbol, missing: lost, missingIds: countIds(lost) }]);
    // One request looks whether the exchange is the same; no two of the small ranges are within a thousand ids.
    expect(planned.requests).toBe(1 + lengths.length + large / 1000);
    await expect(pipeline.run(['heal', '--timeout', '1000'], { exitCodes: [4] })).resolves.toBe('');
    expect((await pipeline.app.barStore.holes()).length).toBe(27);
  });

  it('closes them all, with the requests that were named', async () => {
    run = await pipeline.submit();
    const report = JSON.parse(await pipeline.run(['heal', '--json', '--quiet'])) as HealReport;
    expect(report).toMatchObject({
      isWhole: true,
      requests: 1 + lengths.length + large / 1000,
      symbols: [{ symbol, missing: lost, healedIds: countIds(lost), left: [] }],
    });
    expect(await pipeline.app.barStore.holes()).toEqual([]);
    expect(await countsOf(pipeline, 'hot')).toMatchObject({
      ...{ counted: trades, repeated: 0, conflicted: 0, rejected: 0 },
    });
  });

  it('has changed the bars of exactly the minutes that the lost trades touch', async () => {
    const after = await barsOf(pipeline);
    const known = new Map(before.map((bar) => [bar.start, bar]));
    const changed = after.filter(({ start, content }) => known.get(start)?.content !== content);
    const touched = new Set(ticks.filter(({ aggTradeId }) => holdsId(lost, aggTradeId)).map(minuteOf));
    expect(changed.map(({ start }) => start)).toEqual([...touched]);
    const written = after.filter(({ start, updatedAt }) => known.get(start)?.updatedAt !== updatedAt);
    expect(written).toEqual(changed);
    expect(changed.length).toBeLessThan(after.length);
    // Only finality may change elsewhere: in minutes beside a lost one, which were not provable before.
    expect(after.filter(({ isFinal }) => !isFinal).map(({ start }) => start)).toEqual([
      minuteOf(ticks[0]!),
      minuteOf(ticks.at(-1)!),
    ]);
    expect(before.filter(({ isFinal, start }) => isFinal && touched.has(start))).toEqual([]);
  });

  it("leaves bars that equal the exchange's, and nothing more to heal", async () => {
    const verified = JSON.parse(await pipeline.run(['verify', '--json'])) as { isProven: boolean };
    expect(verified.isProven).toBe(true);
    expect(await pipeline.run(['heal'])).toBe('whole: no id is missing that the exchange has by now');
    await eventually('the end of the job', async () => {
      await pipeline.run(['stop', run.runId, '--timeout', '200']);
      return true;
    });
  });
});
