import type { Row } from './book.js';
import { startClient, type Ended } from './client.js';
import { steps, textOf, type Instant, type Plan, type Step } from './plan.js';
import { problemsOf } from './judge.js';
import type { Stage } from './stage.js';

/** One killed client. */
export interface Kill {
  readonly instant: Instant;
  /** False where it ended before. */
  readonly isKilled: boolean;
  /** Ms from its start to the kill, or to its own end. */
  readonly atMs: number;
  /** The furthest step that was seen of it. */
  readonly reached: Step;
}

export interface Round {
  readonly plan: Plan;
  readonly kills: readonly Kill[];
  /** Calls until one was done; more than one only where the master was no leader for a while. */
  readonly calls: number;
  readonly outcome: string;
  /** What should not be, as sentences. */
  readonly problems: readonly string[];
}

/** A client that is killed at this instant. */
async function killAt(stage: Stage, instant: Instant, undisturbedMs: number): Promise<Kill> {
  let reached: Step = 'started';
  let killedAtMs: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  const client = startClient(stage.env, stage.args);
  const killIn = (ms: number): void => {
    timer ??= setTimeout(() => {
      const atMs = Date.now() - client.startedAt;
      if (client.kill()) killedAtMs = atMs;
    }, ms);
  };
  stage.onStep = (step) => {
    if (steps.indexOf(step) > steps.indexOf(reached) && killedAtMs === undefined) reached = step;
    if ('after' in instant && instant.after === step) killIn(instant.ms);
  };
  if ('share' in instant) killIn(instant.share * undisturbedMs);
  const { ms } = await client.ended;
  clearTimeout(timer);
  stage.onStep = () => undefined;
  return { instant, isKilled: killedAtMs !== undefined, atMs: killedAtMs ?? ms, reached };
}

const outcomeOf = ({ exitCode, out, err }: Ended): string =>
  exitCode === 0
    ? (JSON.parse(out) as { outcome: string }).outcome
    : `exit ${exitCode ?? 'by a signal'}: ${err.trim().split('\n').slice(-2).join(' ')}`;

/** A stage with its book. */
export type PlayedStage = Stage & { readonly book: { rows(): Promise<readonly Row[]> } };

/** Kills as the plan says, calls again until it is done, and judges what is there then. */
export async function playRound(stage: PlayedStage, plan: Plan, undisturbedMs: number): Promise<Round> {
  stage.prepare(plan);
  const kills: Kill[] = [];
  for (const instant of plan.instants) kills.push(await killAt(stage, instant, undisturbedMs));
  stage.disturb(plan);
  let calls = 0;
  let ended: Ended;
  do {
    ended = await startClient(stage.env, stage.args).ended;
    calls += 1;
  } while (ended.exitCode === 4 && calls < 12);
  const outcome = outcomeOf(ended);
  const drivers = await stage.drivers();
  const rows = await stage.book.rows();
  const problems = [
    ...(ended.exitCode === 0 ? [] : [outcome]),
    ...problemsOf({ drivers, rows, posted: stage.posted() }),
    ...stage.inspect(),
  ];
  await stage.clear();
  return { plan, kills, calls, outcome, problems };
}

/** One line for a person. */
export function lineOf({ plan, kills, calls, outcome, problems }: Round): string {
  const text = kills.map(
    ({ instant, isKilled, atMs, reached }) =>
      `${textOf(instant)} ${isKilled ? `killed at ${atMs} ms, ${reached}` : `ended by itself at ${atMs} ms`}`,
  );
  const more = [
    plan.fate === 'as usual' ? '' : `, POST ${plan.fate}`,
    plan.standbyMs === 0 ? '' : `, standby ${plan.standbyMs} ms`,
    calls === 1 ? '' : `, ${calls} calls`,
    problems.length === 0 ? '' : ` WRONG: ${problems.join('; ')}`,
  ];
  return `${plan.index}: ${text.join(' · ')}${more.join('')} → ${outcome}`;
}
