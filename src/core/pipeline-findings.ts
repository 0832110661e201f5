import { isLive } from './driver-state.js';
import type { CommittedOffset } from './ports/bars.js';
import { ageOf, type JobRun } from './ports/runs.js';
import type { MasterReport } from './ports/spark.js';
import type { PartitionOffset } from './ports/topic.js';
import { shortDuration, type Finding } from './report.js';
import { isOfCatalogue } from './run-commands.js';
import { heartbeatLimitMs, type Situation } from './run-situation.js';

/** Until then a run that Spark has may still wait for its place. */
const startLimitMs = 120_000;
/** While there is something to count, the hot query commits each second or two; one batch may take much longer. */
const commitLimitMs = 60_000;
/** The lake query stores once a minute; a batch that catches up takes longer. */
const lakeLimitMs = 300_000;
/** The job that counts. */
const streamingJob = 'streaming';

/** What the warehouse says of the hot query; undefined where PostgreSQL does not answer, which is told in its own line. */
export interface Counting {
  readonly committed: readonly CommittedOffset[];
  /** The same of the lake query; undefined where only counting is judged. */
  readonly lake?: readonly CommittedOffset[];
  /** The living runs of all jobs. */
  readonly runs: readonly JobRun[];
}

/** True where the warehouse is ahead of the topic; offsets that were read before a commit look like that for a moment. */
export const isAhead = (
  topic: string,
  offsets: readonly PartitionOffset[],
  { committed }: Pick<Counting, 'committed'>,
): boolean =>
  committed.some((one) => {
    const end = offsets.find(({ partition }) => one.topic === topic && partition === one.partition)?.latest;
    return end !== undefined && one.next > end;
  });

/** The topic against what the hot query has committed, and against the job that should count it. */
export function findLag(
  topic: string,
  offsets: readonly PartitionOffset[],
  counting: Counting | undefined,
): Finding {
  const committed = counting?.committed.filter((one) => one.topic === topic) ?? [];
  const partitions = offsets.map(({ partition, earliest, latest }) => {
    const next = committed.find((one) => one.partition === partition)?.next;
    const from = next === undefined || next < earliest ? earliest : next;
    return { partition, earliest, latest, committed: next, lag: latest > from ? latest - from : 0n };
  });
  const lost = partitions.filter(({ committed: next, earliest }) => next !== undefined && next < earliest);
  const ahead = partitions.filter(({ committed: next, latest }) => next !== undefined && next > latest);
  const sum = (pick: 'latest' | 'lag'): bigint =>
    partitions.reduce((total, partition) => total + partition[pick], 0n);
  const behind =
    counting === undefined
      ? 'nobody knows how many are counted'
      : `${sum('lag')} behind in the last committed hot batch`;
  return {
    summary: `${topic}: newest offset ${sum('latest')}, ${behind}`,
    problems: [
      ...(partitions.length === 0 ? [`there is no topic ${topic}: run \`cryptopipe init\``] : []),
      ...lost.map(
        ({ partition }) => `${topic} ${partition}: Kafka has deleted messages that were never counted`,
      ),
      ...ahead.map(
        ({ partition, latest, committed: next }) =>
          `${topic} ${partition}: the next message to count is ${next}, but the topic ends at ${latest}: it was created again or has lost its end`,
      ),
      ...(counting === undefined ? [] : countingProblems({ runs: counting.runs, committed }, sum('lag'))),
      ...(counting === undefined ? [] : queryProblems(topic, offsets, counting)),
    ],
    facts: {
      topic,
      newestOffset: sum('latest'),
      ...(counting === undefined ? {} : { lag: sum('lag') }),
      partitions,
    },
  };
}

/** Why messages that are there stay uncounted: nobody counts them, or whoever should has committed nothing for long. */
function countingProblems({ runs, committed }: Omit<Counting, 'lake'>, lag: bigint): string[] {
  const live = findCountingRun(runs);
  const waiting = `${lag} messages wait and `;
  if (live === undefined)
    return lag === 0n ? [] : [`${waiting}no streaming job runs: \`cryptopipe submit streaming\``];
  const ill = runProblem(live);
  if (ill !== undefined) return [ill];
  // A run that has just begun needs time for its first batch; one that waits for its place is judged by that alone.
  if (lag === 0n || live.state !== 'RUNNING') return [];
  const silentMs = Math.min(
    ageOf(live, live.starts.at(-1) ?? live.startedAt),
    ...committed.map(({ ageMs }) => ageMs),
  );
  return silentMs > commitLimitMs
    ? [
        `${waiting}run ${live.runId} has committed nothing for ${shortDuration(silentMs)}: see \`cryptopipe logs ${live.runId}\``,
      ]
    : [];
}

/** A query that waits for a server reports it in the progress of its run (templates/partials/stream.py.hbs). */
function waitingProblem({ runId, progress }: JobRun, query: 'hot' | 'lake'): string | undefined {
  const { state, since, reason } = (progress?.[query] ?? {}) as Readonly<Record<string, unknown>>;
  if (state !== 'waiting') return undefined;
  return `the ${query} query of run ${runId} waits since ${String(since)}: ${String(reason)}`;
}

/** What keeps the two queries of the run that counts: what they wait for, or a lake that stays behind the topic. */
function queryProblems(
  topic: string,
  offsets: readonly PartitionOffset[],
  { lake, runs }: Counting,
): string[] {
  const run = findCountingRun(runs);
  if (run?.state !== 'RUNNING') return [];
  const waiting = (['hot', 'lake'] as const).map((query) => waitingProblem(run, query));
  const late =
    lake !== undefined && waiting[1] === undefined ? lakeProblem(topic, offsets, { lake, run }) : undefined;
  return [...waiting, late].filter((problem) => problem !== undefined);
}

function lakeProblem(
  topic: string,
  offsets: readonly PartitionOffset[],
  { lake, run }: { readonly lake: readonly CommittedOffset[]; readonly run: JobRun },
): string | undefined {
  const stored = lake.filter((one) => one.topic === topic);
  const behind = offsets.reduce((total, { partition, earliest, latest }) => {
    const next = stored.find((one) => one.partition === partition)?.next ?? earliest;
    return latest > next ? total + (latest - next) : total;
  }, 0n);
  const silentMs = Math.min(
    ageOf(run, run.starts.at(-1) ?? run.startedAt),
    ...stored.map(({ ageMs }) => ageMs),
  );
  if (behind === 0n || silentMs <= lakeLimitMs) return undefined;
  return `${behind} messages are not in the lake and the lake query of run ${run.runId} has stored nothing for ${shortDuration(silentMs)}: see \`cryptopipe logs ${run.runId}\``;
}

/** The run that counts, or is about to; undefined where none lives. */
export const findCountingRun = (runs: readonly JobRun[]): JobRun | undefined =>
  runs.find((run) => run.job === streamingJob && isLive(run.state));

/** What is wrong with a run by its row alone, without asking Spark; undefined where nothing is. */
export function runProblem(run: JobRun): string | undefined {
  const { runId, state } = run;
  if (state === 'RUNNING') {
    const silentMs = ageOf(run, run.heartbeatAt ?? run.createdAt);
    return silentMs > heartbeatLimitMs
      ? `run ${runId} has not said that it lives for ${shortDuration(silentMs)}`
      : undefined;
  }
  if (isLive(state)) {
    const waitMs = ageOf(run, run.createdAt);
    return waitMs > startLimitMs
      ? `run ${runId} is ${state} for ${shortDuration(waitMs)}: is there room at Spark?`
      : undefined;
  }
  const isByOrder = state === 'KILLED' && run.stopRequestedAt !== undefined;
  return state === 'FINISHED' || isByOrder
    ? undefined
    : `run ${runId} is ${state}${run.error === undefined ? '' : `: ${run.error}`}`;
}

/** A run and how it is. */
type JudgedRun = JobRun & { readonly situation: Situation };

/** The newest run of each job, in order of the jobs' names. */
function newestOfEach(runs: readonly JudgedRun[]): JudgedRun[] {
  const newest = new Map<string, JudgedRun>();
  for (const run of runs) {
    const known = newest.get(run.job);
    if (known === undefined || run.createdAt > known.createdAt) newest.set(run.job, run);
  }
  return [...newest.values()].sort((left, right) => left.job.localeCompare(right.job));
}

/** A living run with the word for its situation, one that has ended with its state alone. */
function runLine({ job, state, runId, situation }: JudgedRun): string {
  const isTold = isLive(state) && situation.name !== 'running';
  return `${job} ${state} (${runId})${isTold ? `, ${situation.name}` : ''}`;
}

/** What somebody tried once and what failed is no illness of the pipeline: nothing would ever end it. */
function situationProblem(run: JudgedRun): string | undefined {
  const { runId, state, situation } = run;
  if (situation.isHealthy || (!isLive(state) && !isOfCatalogue(run))) return undefined;
  return `run ${runId}, ${situation.name}: ${situation.sentence}${situation.nextStep === undefined ? '' : `. Next: ${situation.nextStep}`}`;
}

/** Master, workers, the newest run of each job and every run that lives. */
export function findSpark(master: MasterReport, runs: readonly JudgedRun[]): Finding {
  const alive = master.workers.filter((worker) => worker.state === 'ALIVE');
  const newest = newestOfEach(runs);
  const shown = [...newest, ...runs.filter((run) => isLive(run.state) && !newest.includes(run))];
  const cores = (pick: 'cores' | 'coresFree'): number =>
    alive.reduce((total, worker) => total + worker[pick], 0);
  return {
    summary: [
      `master ${master.status}, ${alive.length} workers, ${cores('coresFree')} of ${cores('cores')} cores free`,
      ...(shown.length === 0 ? ['no run yet'] : shown.map(runLine)),
    ].join('; '),
    problems: [
      ...(master.status === 'ALIVE' ? [] : [`the master is ${master.status}`]),
      ...(alive.length > 0 ? [] : ['no worker lives']),
      ...shown.map(situationProblem).filter((problem) => problem !== undefined),
    ],
    facts: { master: master.status, workers: master.workers, runs: shown },
  };
}
