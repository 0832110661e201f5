import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  aPipeline,
  eventually,
  startCommand,
  startExchange,
  type Pipeline,
  type Running,
  type StandIn,
} from '../support/pipeline.js';
import { startStack, type TestStack } from '../support/stack.js';

const symbols = ['BTCUSDT', 'ETHUSDT', 'BNBUSDT', 'SOLUSDT', 'XRPUSDT'];
/** Together 200 trades a second. */
const ratePerSymbol = 40;
const faultsPerMinute = 8;
/** The producer is killed each so many seconds. */
const killEverySeconds = 75;
const seconds = Number(process.env['SOAK_SECONDS'] ?? 390);
const seed = process.env['SEED'] ?? '1';
const timeout = seconds * 1000 + 190_000;

/** Every way in which the sandbox can go wrong by itself. */
const kinds = [
  ...['close 1001', 'close 1006', 'close 1008', 'cut', 'double', 'drop'],
  ...['outage 503', 'outage drop', 'reorder', 'shutdown', 'silence'],
];

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const minute = 60_000;

interface FaultLog {
  readonly counts: Readonly<Record<string, number>>;
}

/** Of sorted numbers; the value that so large a share does not exceed. */
const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;

describe('a stream with faults of every kind', () => {
  const begin = Math.floor(Date.now() / minute) * minute + 2 * minute;
  let stack: TestStack;
  let sandbox: StandIn;
  let pipeline: Pipeline;
  const producers: Running[] = [];

  const produce = (): void => {
    const args = ['produce', '--feed', 'stream', '--symbols', symbols.join(','), '--from', '0', '--quiet'];
    producers.push(startCommand(pipeline.environment, args));
  };

  /** Kills the producer again and again until the time is over, and starts it again. */
  async function killUntil(end: number): Promise<number> {
    let kills = 0;
    while (Date.now() + killEverySeconds * 1000 < end) {
      await sleep(killEverySeconds * 1000);
      expect(await producers.at(-1)!.end('SIGKILL')).toBe('SIGKILL');
      kills += 1;
      produce();
    }
    await sleep(Math.max(0, end - Date.now()));
    return kills;
  }

  beforeAll(async () => {
    stack = await startStack({ name: 'soak', portOffset: 15_000 });
    const halt = [begin, begin + minute].map((time) => new Date(time).toISOString());
    sandbox = await startExchange(stack.env, [
      ...['--symbols', symbols.join(','), '--rate', String(ratePerSymbol), '--seed', seed, '--history', '1'],
      ...['--odd', 'burst,neutralised', '--halt', halt.join(',')],
      ...['--chaos', `${seed}:${faultsPerMinute}`],
    ]);
    pipeline = await aPipeline('soak', { exchangeUrl: sandbox.url, stackEnvironment: stack.env });
    produce();
    await pipeline.submit();
  });
  afterAll(async () => {
    for (const producer of producers) await producer.end('SIGINT');
    await pipeline.close();
    await sandbox.stop();
    await stack.stop();
  });

  it('loses nothing, counts nothing twice, and every bar equals the exchange’s', { timeout }, async () => {
    const startedAt = Date.now();
    const kills = await killUntil(startedAt + seconds * 1000);
    const { counts } = (await (await fetch(`${sandbox.url}/sandbox/faults/log`)).json()) as FaultLog;
    const faults = Object.values(counts).reduce((sum, count) => sum + count, 0);
    console.log(
      `SEED=${seed}: ${faults} faults in ${seconds} s and ${kills} kills: ${JSON.stringify(counts)}`,
    );
    expect(await producers.at(-1)!.end('SIGINT')).toBe(0);
    await countedAll();

    expect(await pipeline.rows('SELECT * FROM crypto.holes')).toEqual([]);
    const [{ conflicted, rejected } = {}] = await pipeline.rows(
      `SELECT sum(conflicted)::int AS conflicted, sum(rejected)::int AS rejected FROM crypto.batches`,
    );
    expect({ conflicted, rejected }).toEqual({ conflicted: 0, rejected: 0 });
    const open = await pipeline.rows(
      `SELECT symbol FROM crypto.crypto_prices_agg_1min AS bar WHERE finalized_at IS NULL
         AND window_start <> (SELECT max(window_start) FROM crypto.crypto_prices_agg_1min AS other WHERE other.symbol = bar.symbol)
         AND window_start <> (SELECT min(window_start) FROM crypto.crypto_prices_agg_1min AS other WHERE other.symbol = bar.symbol)`,
    );
    expect(open).toEqual([]);
    const report = JSON.parse(await pipeline.run(['verify', '--json'])) as {
      symbols: { symbol: string; compared: number }[];
    };
    expect(report.symbols.map(({ symbol }) => symbol)).toEqual([...symbols].sort());
    const compared = report.symbols.reduce((sum, one) => sum + one.compared, 0);
    const [{ trades } = {}] = await pipeline.rows(
      'SELECT count(*)::int AS trades FROM crypto.crypto_prices_clean',
    );
    console.log(`${String(trades)} trades, ${compared} final bars equal to the exchange's`);
    expect(compared).toBeGreaterThan(symbols.length * 3);
    await tellGaps();
    expect(Object.keys(counts).sort()).toEqual(kinds);
    expect(faults + kills).toBeGreaterThanOrEqual(Math.floor((seconds / 600) * 60));
  });

  /** Waits until the job has committed everything that the topic holds. */
  async function countedAll(): Promise<void> {
    const ends = await pipeline.app.topics.offsets(pipeline.topic);
    await eventually('the last batch', async () => {
      const committed = await pipeline.app.barStore.committedOffsets('hot');
      const isDone = ends.every(
        ({ partition, latest }) =>
          latest === 0n || (committed.find((one) => one.partition === partition)?.next ?? 0n) >= latest,
      );
      return isDone ? true : undefined;
    });
  }

  /** From the first missing trade's own time to Kafka's acknowledgement of the last, and from its finding on. */
  async function tellGaps(): Promise<void> {
    const gaps = producers.flatMap(({ lines }) => lines.filter(({ type }) => type === 'gap'));
    const inMiddle = gaps.filter(({ why }) => why !== 'start');
    expect(inMiddle.length).toBeGreaterThan(0);
    const found = await pipeline.rows<{ symbol: string; agg_trade_id: string; event_time: string }>(
      `SELECT trade.symbol, agg_trade_id, event_time FROM crypto.crypto_prices_clean AS trade
       JOIN jsonb_to_recordset($1) AS gap (symbol TEXT, id BIGINT) ON gap.symbol = trade.symbol AND gap.id = agg_trade_id`,
      [JSON.stringify(inMiddle.map(({ symbol, firstId }) => ({ symbol, id: firstId })))],
    );
    const times = new Map(found.map((row) => [`${row.symbol}/${row.agg_trade_id}`, Number(row.event_time)]));
    const say = (what: string, since: (gap: Record<string, unknown>) => number): void => {
      const delays = inMiddle
        .map((gap) => Number(gap['filledAt']) - since(gap))
        .sort((left, right) => left - right);
      console.log(
        `${what}: p50 ${percentile(delays, 0.5)} ms, p95 ${percentile(delays, 0.95)} ms, most ${delays.at(-1)} ms`,
      );
    };
    const whys: Record<string, number> = {};
    for (const { why } of inMiddle) whys[String(why)] = (whys[String(why)] ?? 0) + 1;
    console.log(`${inMiddle.length} gaps: ${JSON.stringify(whys)}`);
    say('from finding a gap to Kafka', ({ openedAt }) => Number(openedAt));
    say(
      "from the first missing trade's own time to Kafka",
      ({ symbol, firstId }) => times.get(`${String(symbol)}/${String(firstId)}`) ?? Number.NaN,
    );
  }
});
