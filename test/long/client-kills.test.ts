import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../src/compose.js';
import { loadConfig } from '../../src/config.js';
import { startClient } from '../support/client-kills/client.js';
import { FakeStage } from '../support/client-kills/fake-stage.js';
import { planOf } from '../support/client-kills/plan.js';
import { report } from '../support/client-kills/report.js';
import { lineOf, playRound, type Round } from '../support/client-kills/round.js';
import { query } from '../support/postgres.js';
import { startStack, type TestStack } from '../support/stack.js';

const seed = process.env['SEED'] ?? '1';
const wantedKills = Number(process.env['KILLS'] ?? 180);
/** Rounds wait more than they work: for a POST that may still arrive. */
const lanes = 8;
const timeLimitMs = 8 * 60_000;

/**
 * On the fake master (test/support/fake-master), with a real PostgreSQL and a stand-in for WebHDFS: the job is
 * `streaming`, its driver is played by the test. The same on a real master: client-kills-real.test.ts.
 */
describe('a client that is killed while it submits', () => {
  let stack: TestStack;
  const stages: FakeStage[] = [];

  beforeAll(async () => {
    stack = await startStack({ name: 'client-kills', portOffset: 16_000, only: ['postgres'] });
    for (let lane = 0; lane < lanes; lane += 1) stages.push(await openStage(`kills_${lane}`));
  });
  afterAll(async () => {
    await Promise.all(stages.map((stage) => stage.close()));
    await stack.stop();
  });

  async function openStage(database: string): Promise<FakeStage> {
    const { host, port, user, password, database: first } = stack.config.postgres;
    await query({ host, port, user, password, database: first }, `CREATE DATABASE ${database}`);
    const app = createApp(loadConfig({}, { ...stack.env, PGDATABASE: database }, '/nonexistent/.env'));
    await app.schema.migrate();
    await app.close();
    return FakeStage.open(stack.env, database);
  }

  /** How long an undisturbed call takes here, while all lanes are at work. */
  async function undisturbedMs(stage: FakeStage): Promise<number> {
    const ended = await startClient(stage.env, stage.args).ended;
    expect(ended).toMatchObject({ exitCode: 0 });
    await stage.clear();
    return ended.ms;
  }

  it('leaves one run and one driver, once it is called again', async () => {
    const deadline = Date.now() + timeLimitMs;
    const rounds: Round[] = [];
    const kills = (): number => rounds.flatMap((round) => round.kills).filter((kill) => kill.isKilled).length;
    let next = 0;
    const durations = await Promise.all(stages.map(undisturbedMs));
    await Promise.all(
      stages.map(async (stage, lane) => {
        while (kills() < wantedKills && Date.now() < deadline) {
          const round = await playRound(stage, planOf(seed, (next += 1)), durations[lane] ?? 0);
          rounds.push(round);
          console.log(lineOf(round));
        }
      }),
    );
    console.log(`SEED=${seed}, an undisturbed call takes ${durations.join(', ')} ms\n${report(rounds)}`);
    expect(rounds.flatMap(({ plan, problems }) => problems.map((what) => `${plan.index}: ${what}`))).toEqual(
      [],
    );
    expect(kills()).toBeGreaterThanOrEqual(wantedKills);
  });
});
