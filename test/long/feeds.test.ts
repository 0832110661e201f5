import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeRecorded, recorded } from '../support/market-data.js';
import {
  aPipeline,
  eventually,
  startCommand,
  startExchange,
  type Pipeline,
  type StandIn,
} from '../support/pipeline.js';
import { startStack, type TestStack } from '../support/stack.js';
import { stateOf } from '../support/warehouse-state.js';

const lastIds = { BTCUSDT: 3_100_011_349, ETHUSDT: 1_500_007_396 };
const symbols = Object.keys(lastIds);
const tapes = symbols.map((symbol) => recorded('spot_2024-08-08', `${symbol}-aggTrades-2024-08-08.csv.gz`));
const trades = 18_745;
/** The tape's eleven minutes in 43 seconds. */
const speed = '15';

describeRecorded('the same tape', () => {
  let stack: TestStack;
  let sandbox: StandIn;
  const pipelines = new Map<string, Pipeline>();

  /** A producer that goes on for ever, until the topic has the tape's last trade of each symbol. */
  async function produceLive(pipeline: Pipeline, feed: 'poll' | 'stream'): Promise<void> {
    const producer = startCommand(pipeline.environment, [
      ...['produce', '--feed', feed, '--symbols', symbols.join(','), '--from', '0', '--ignore-cursor'],
      ...(feed === 'poll' ? ['--interval', '200'] : []),
    ]);
    await eventually(`the end of the tape through ${feed}`, () => {
      const progress = producer.lines.findLast(({ type }) => type === 'progress') as
        { symbols: { symbol: keyof typeof lastIds; lastId?: number }[] } | undefined;
      const isDone = progress?.symbols.every(({ symbol, lastId }) => lastId === lastIds[symbol]) === true;
      return Promise.resolve(isDone ? true : undefined);
    });
    expect(await producer.end('SIGINT')).toBe(0);
  }

  const produceArchive = (pipeline: Pipeline): Promise<string> =>
    pipeline.run([
      ...['produce', '--feed', 'archive', '--from', '2024-08-08', '--to', '2024-08-09'],
      // The topics of one Kafka share their cursors: each shall have the whole archive.
      ...['--symbols', symbols.join(','), '--ignore-cursor', '--json', '--quiet'],
    ]);

  beforeAll(async () => {
    stack = await startStack({ name: 'feeds', portOffset: 15_000 });
    sandbox = await startExchange(stack.env, [
      ...['--speed', speed, '--archive-today', '--archive-holes', '5', '--tape', ...tapes],
    ]);
    for (const name of ['poll', 'stream', 'archive', 'all'])
      pipelines.set(
        name,
        await aPipeline(`feed_${name}`, { exchangeUrl: sandbox.url, stackEnvironment: stack.env }),
      );
  });
  afterAll(async () => {
    for (const pipeline of pipelines.values()) await pipeline.close();
    await sandbox.stop();
    await stack.stop();
  });

  it('gives the same rows through poll, stream and archive, and through all three at once', async () => {
    const [poll, stream, archive, all] = [...pipelines.values()] as [Pipeline, Pipeline, Pipeline, Pipeline];
    await Promise.all([
      produceLive(poll, 'poll'),
      produceLive(stream, 'stream'),
      produceLive(all, 'poll'),
      produceLive(all, 'stream'),
    ]);
    await produceArchive(archive);
    await produceArchive(all);
    for (const pipeline of pipelines.values()) await pipeline.workOff();
    const states = await Promise.all([...pipelines.values()].map(stateOf));
    expect(states[0]).toMatchObject({ trades: { rows: trades }, bars: { rows: 24 }, coverage: { rows: 2 } });
    for (const state of states) expect(state).toEqual(states[0]);
    const [sent] = await all.rows(
      `SELECT sum(counted)::int AS counted, sum(repeated)::int AS repeated FROM crypto.batches WHERE query = 'hot'`,
    );
    expect(sent).toEqual({ counted: trades, repeated: 2 * trades });
  });
});
