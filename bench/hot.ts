import { backlog, backlogTopic } from './backlog.js';
import type { Measure } from './report.js';
import { checkpointFolder, counted, registeredAt, submitStreaming, type Batch } from './streaming.js';
import { eventually, type World } from './world.js';

const bench = 'hot';
/** A query begins its first batch at once, and then never again within a benchmark. */
const onceADay = 86_400_000;
const atOnce = 1000;

/** Trades a second of the hot query on a topic that is already full. */
export async function measureHot(world: World): Promise<Measure[]> {
  const { trades } = await backlog(world);
  world.say('catching up, with the lake query beside it');
  const beside = await catchUp(world, trades, atOnce);
  await forgetHot(world);
  world.say('catching up again, without the lake query');
  const alone = await catchUp(world, trades, onceADay);
  return [
    ...measuresOf(alone, 'alone', 'the lake query has nothing to do', '50,000 or more'),
    ...measuresOf(
      beside,
      'with the lake query',
      'the lake query works off the same trades on the same cores',
    ),
  ];
}

interface CatchUp {
  readonly registeredAt: number;
  readonly batches: readonly Batch[];
}

async function catchUp(world: World, trades: number, lakeIntervalMs: number): Promise<CatchUp> {
  const run = await submitStreaming(world, backlogTopic, { lake_interval_ms: lakeIntervalMs });
  const batches = await counted(world, run.runId, trades);
  const from = await registeredAt(world, run.runId);
  await lakeDone(world);
  await run.stop();
  return { registeredAt: from, batches };
}

/** What the lake query has written it does not write again: the next run of the topic has the hot query alone. */
async function lakeDone(world: World): Promise<void> {
  const { trades } = await backlog(world);
  world.say('waiting for the lake query');
  await eventually('the lake query', 600_000, async () => {
    const { rows } = await world.pool.query<{ readonly sum: string | null }>(
      `SELECT sum(counted) FROM crypto.batches WHERE query = 'lake' AND topic = $1`,
      [backlogTopic],
    );
    return Number(rows[0]?.sum) >= trades ? true : undefined;
  });
}

/** The hot query begins anew on the same topic, while the lake query remembers that it is done. */
async function forgetHot(world: World): Promise<void> {
  await world.removeFolder(`${checkpointFolder(backlogTopic)}/hot`);
  await world.pool.query(
    'TRUNCATE crypto.coverage, crypto.crypto_prices_agg_1min, crypto.crypto_prices_clean',
  );
}

function measuresOf(
  { registeredAt: from, batches }: CatchUp,
  how: string,
  note: string,
  goal?: string,
): Measure[] {
  const [first, last] = [batches[0], batches.at(-1)];
  if (first === undefined || last === undefined) throw new Error('the hot query has committed nothing');
  const sum = batches.reduce((total, batch) => total + batch.counted, 0);
  const rate = (trades: number, since: number): number => (1000 * trades) / (last.committedAt - since);
  const common = { bench, unit: 'trades/s' };
  return [
    {
      ...common,
      what: `catching up, ${how}, after the first batch`,
      value: rate(sum - first.counted, first.committedAt),
      note: `${batches.length - 1} batches; ${note}`,
      ...(goal === undefined ? {} : { goal }),
    },
    {
      ...common,
      what: `catching up, ${how}, from the registration on`,
      value: rate(sum, from),
      note: `${batches.length} batches; the first took ${((first.committedAt - from) / 1000).toFixed(1)} s for ${first.counted.toLocaleString('en-US')} trades on a cold JVM`,
    },
  ];
}
