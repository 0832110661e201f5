import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeStage } from '../support/client-kills/fake-stage.js';
import { planOf } from '../support/client-kills/plan.js';
import { makeDatabase, playKills } from '../support/client-kills/play.js';
import { problemsIn, report } from '../support/client-kills/report.js';
import { startStack, type TestStack } from '../support/stack.js';

const seed = process.env['SEED'] ?? '1';
const kills = Number(process.env['KILLS'] ?? 180);
/** Rounds wait more than they work: for a POST that may still arrive. */
const lanes = ['kills_1', 'kills_2', 'kills_3', 'kills_4', 'kills_5', 'kills_6'];
const limitMs = 8 * 60_000;

/**
 * On the fake master (test/support/fake-master), with a real PostgreSQL and a stand-in for WebHDFS: the job is
 * `streaming`, its driver is played by the test. The same on a real master: client-kills-real.test.ts.
 */
describe('a client that is killed while it submits', () => {
  let stack: TestStack;
  const stages: FakeStage[] = [];

  beforeAll(async () => {
    stack = await startStack({ name: 'client-kills', portOffset: 16_000, only: ['postgres'] });
    for (const lane of lanes) stages.push(await FakeStage.open(stack.env, await makeDatabase(stack, lane)));
  });
  afterAll(async () => {
    await Promise.all(stages.map((stage) => stage.close()));
    await stack.stop();
  });

  it('leaves one run and one driver, once it is called again', async () => {
    const played = await playKills(stages, { kills, limitMs, planOf: (index) => planOf(seed, index) });
    console.log(`SEED=${seed}; ${report(played)}`);
    expect(problemsIn(played)).toEqual([]);
    expect(played.kills).toBeGreaterThanOrEqual(kills);
  });
});
