import { createApp } from '../../../src/compose.js';
import { loadConfig } from '../../../src/config.js';
import { query } from '../postgres.js';
import type { TestStack } from '../stack.js';
import { startClient } from './client.js';
import type { Plan } from './plan.js';
import { playRound, type PlayedStage, type Round } from './round.js';

/** An empty database with the schema. */
export async function makeDatabase(stack: TestStack, name: string): Promise<string> {
  const { host, port, user, password, database } = stack.config.postgres;
  await query({ host, port, user, password, database }, `CREATE DATABASE ${name}`);
  const app = createApp(loadConfig({}, { ...stack.env, PGDATABASE: name }, '/nonexistent/.env'));
  await app.schema.migrate();
  await app.close();
  return name;
}

export interface Played {
  readonly rounds: readonly Round[];
  readonly kills: number;
  /** What the last undisturbed call took on each stage; the shares of the plans are of this. */
  readonly durations: readonly number[];
}

async function undisturbedMs(stage: PlayedStage): Promise<number> {
  const ended = await startClient(stage.env, stage.args).ended;
  if (ended.exitCode !== 0) throw new Error(`an undisturbed call failed: ${ended.err}`);
  await stage.clear();
  return ended.ms;
}

/** Plays rounds on all stages at once until so many clients were killed, or the time is over. */
export async function playKills(
  stages: readonly PlayedStage[],
  options: {
    readonly kills: number;
    readonly limitMs: number;
    readonly planOf: (index: number) => Plan;
  },
): Promise<Played> {
  const deadline = Date.now() + options.limitMs;
  const rounds: Round[] = [];
  const kills = (): number => rounds.flatMap((round) => round.kills).filter((kill) => kill.isKilled).length;
  const durations = await Promise.all(stages.map(undisturbedMs));
  let next = 0;
  await Promise.all(
    stages.map(async (stage, lane) => {
      while (kills() < options.kills && Date.now() < deadline) {
        const round = await playRound(stage, options.planOf((next += 1)), durations[lane] ?? 0);
        rounds.push(round);
        // The first calls on a cold or a busy computer say little of the later ones.
        const [first] = round.kills;
        if (first?.isKilled === false) durations[lane] = first.atMs;
      }
    }),
  );
  return { rounds, kills: kills(), durations };
}
