import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planOf, type Step } from '../support/client-kills/plan.js';
import { makeDatabase, playKills } from '../support/client-kills/play.js';
import { RealStage } from '../support/client-kills/real-stage.js';
import { problemsIn, report } from '../support/client-kills/report.js';
import { startStack, type TestStack } from '../support/stack.js';

const seed = process.env['SEED'] ?? '1';
const kills = Number(process.env['KILLS'] ?? 24);
/** The worker has room for four drivers; two start at once on two cores. */
const lanes = ['kills_1', 'kills_2'];
const limitMs = 8 * 60_000;
/** Those that can be seen from outside of a real stack; HDFS shows nobody that a file was stored. */
const visible: readonly Step[] = [
  'asked',
  'written down',
  'arrived',
  'taken',
  'answered',
  'id written',
  'registered',
];

/** On a real Spark, HDFS and PostgreSQL; a proxy before the master shows how far a submission has come. */
describe('a client that is killed while it submits to a real master', () => {
  let stack: TestStack;
  const stages: RealStage[] = [];

  beforeAll(async () => {
    const only = ['postgres', 'data-node', 'spark-worker'] as const;
    stack = await startStack({ name: 'client-kills-real', portOffset: 16_000, only });
    for (const lane of lanes) stages.push(await RealStage.open(stack.env, await makeDatabase(stack, lane)));
  });
  afterAll(async () => {
    await Promise.all(stages.map((stage) => stage.close()));
    await stack.stop();
  });

  it('leaves one run and one driver, once it is called again', async () => {
    const played = await playKills(stages, {
      kills,
      limitMs,
      // A real master does not go into standby by itself.
      planOf: (index) => ({ ...planOf(seed, index, visible), standbyMs: 0 }),
    });
    console.log(`SEED=${seed}; ${report(played)}`);
    expect(problemsIn(played)).toEqual([]);
    expect(played.kills).toBeGreaterThanOrEqual(kills);
    // One driver for each round and each undisturbed call: none that nobody looked at.
    expect(await stages[0]?.driversOfAll()).toBe(played.rounds.length + lanes.length);
  });
});
