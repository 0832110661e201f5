import { isLive, meaningOf } from '../../core/driver-state.js';
import { UnreachableError } from '../../core/errors.js';
import { ageOf, type JobRun } from '../../core/ports/runs.js';
import type { LogStream } from '../../core/ports/spark.js';
import type { LogOwner, LogPlace } from '../../core/ports/worker-logs.js';
import { reconcile, type ReconcilePorts } from '../reconcile.js';
import { LogTail, type FetchPage, type LineCount, type TailRead } from './log-tail.js';
import { findSources, type LogChoice, type LogPorts, type LogSources } from './log-sources.js';

/** One line of a run's output, and where it comes from. */
export interface LogLine {
  readonly owner: LogOwner;
  readonly stream: LogStream;
  readonly line: string;
}

export interface FollowOptions extends LogChoice {
  readonly begin: LineCount;
  /** A Ctrl-C: it ends the following, the run goes on. */
  readonly signal: AbortSignal;
  readonly onLine: (line: LogLine) => void;
  /** What happens around the lines, for a person; each is said when it begins to hold. */
  readonly say: (text: string) => void;
  /** How often logs are read, and how often Spark is asked what there is; shorter in tests. */
  readonly readMs?: number;
  readonly lookMs?: number;
}

const [readMs, lookMs] = [400, 2000];
/** So long Spark may be silent before the following is given up. */
const silenceMs = 120_000;
/** A process that still lives so long after its run has ended hangs; nobody waits for its next line. */
const hangsMs = 30_000;
/** Executors end a moment after their driver; so long their last lines are waited for. */
const executorGraceMs = 5000;

export interface FollowPorts extends ReconcilePorts, LogPorts {}

/** How the following ended. */
export interface Followed {
  readonly run: JobRun;
  readonly ended: 'with the run' | 'interrupted';
}

/** What is known of the run beside its lines, said when it begins to hold. */
class Notices {
  private held = new Set<string>();

  constructor(private readonly say: (text: string) => void) {}

  hold(texts: readonly string[]): void {
    texts.filter((text) => !this.held.has(text)).forEach(this.say);
    this.held = new Set(texts);
  }
}

interface Look extends LogSources {
  readonly run: JobRun;
  /** True where the run has ended and its driver too: a job writes its end a moment before. */
  readonly isEnded: boolean;
}

/** The run as it is now, held against Spark, and what can be read of it. */
async function look(ports: FollowPorts, last: JobRun, choice: LogChoice): Promise<Look> {
  const { run, unclear } = await reconcile(ports, (await ports.book.find(last.runId)) ?? last);
  const { submissionId } = run;
  if (submissionId === undefined) {
    const missing = `run ${run.runId} is ${run.state} and has no driver${unclear === undefined ? '' : ` yet: ${unclear}`}`;
    return { run, places: [], missing: [missing], hasLivingExecutor: false, isEnded: !isLive(run.state) };
  }
  const master = await ports.spark.master();
  const sources = await findSources(ports, { ...run, submissionId }, choice, master);
  const driver = master.drivers.find(({ id }) => id === submissionId);
  return { ...sources, run, isEnded: !isLive(run.state) && isDriverOver(run, driver?.state) };
}

/** What comes in the place of a RELAUNCHING driver of an ended run writes nothing that belongs to it. */
const isDriverOver = (run: JobRun, state: string | undefined): boolean =>
  meaningOf(state).isFinal || state === 'RELAUNCHING' || ageOf(run, run.endedAt) >= hangsMs;

const keyOf = ({ owner, stream }: LogPlace): string => `${JSON.stringify(owner)} ${stream}`;

class Following {
  private run: JobRun;
  private readonly notices: Notices;
  private readonly pumps = new Map<string, Promise<void>>();
  private hasLooked = false;
  private endedAt: number | undefined;
  private isOver = false;
  private failure: unknown;

  constructor(
    private readonly ports: FollowPorts,
    first: JobRun,
    private readonly options: FollowOptions,
  ) {
    this.run = first;
    this.notices = new Notices(options.say);
  }

  async toTheEnd(): Promise<Followed> {
    try {
      const ended = await this.lookUntilTheEnd();
      await Promise.all(this.pumps.values());
      if (this.failure !== undefined) throw this.failure as Error;
      return { run: this.run, ended };
    } finally {
      this.isOver = true;
    }
  }

  private async lookUntilTheEnd(): Promise<Followed['ended']> {
    const { clock } = this.ports;
    const { signal } = this.options;
    for (let answeredAt = clock.now(); !signal.aborted && this.failure === undefined;) {
      try {
        await this.lookOnce();
        answeredAt = clock.now();
      } catch (error) {
        if (!(error instanceof UnreachableError) || !error.retryable) throw error;
        if (clock.now() - answeredAt >= silenceMs) throw error;
        this.notices.hold([error.message]);
      }
      if (this.isOver) return 'with the run';
      await clock.sleep(this.options.lookMs ?? lookMs, signal);
    }
    return 'interrupted';
  }

  private async lookOnce(): Promise<void> {
    const seen = await look(this.ports, this.run, this.options);
    const before = this.run.submissionId;
    if (before !== undefined && seen.run.submissionId !== before)
      this.options.say(`the run goes on in another driver: ${seen.run.submissionId ?? ''}`);
    this.run = seen.run;
    this.notices.hold(seen.missing);
    for (const place of seen.places) this.start(place);
    this.hasLooked = true;
    if (!seen.isEnded) return;
    this.endedAt ??= this.ports.clock.now();
    this.isOver = !seen.hasLivingExecutor || this.ports.clock.now() - this.endedAt >= executorGraceMs;
  }

  /** What appears later is new as a whole. */
  private start(place: LogPlace): void {
    if (this.pumps.has(keyOf(place))) return;
    const { signal, begin } = this.options;
    const fetch: FetchPage = (from, byteLength) =>
      this.ports.workerLogs.page(place, { from, byteLength }, signal);
    const tail = new LogTail(fetch, this.hasLooked ? 'all' : begin);
    const pump = this.pump(place, tail).catch((error: unknown) => {
      this.failure ??= error;
    });
    this.pumps.set(keyOf(place), pump);
  }

  private hasEnded({ owner }: LogPlace): boolean {
    return this.isOver || (owner.kind === 'driver' && owner.submissionId !== this.run.submissionId);
  }

  /** Reads one log until nothing more can come, then to its end. */
  private async pump(place: LogPlace, tail: LogTail): Promise<void> {
    const { signal, say } = this.options;
    const notices = new Notices(say);
    for (;;) {
      // Asked before the read: what was written before the end is read once more after it.
      const isLast = this.hasEnded(place);
      const read = await this.readOr(tail, notices);
      if (read === undefined || signal.aborted) return;
      if (read.hasGap) say('lines were deleted by the roll-over of the log before they could be read');
      this.give(place, read.lines);
      if (read.isAtEnd && isLast) break;
      if (read.isAtEnd) await this.ports.clock.sleep(this.options.readMs ?? readMs, signal);
    }
    this.give(place, tail.rest());
  }

  /** Nothing new where the worker does not answer; undefined where it has the log no more. */
  private async readOr(tail: LogTail, notices: Notices): Promise<TailRead | undefined> {
    try {
      const read = await tail.read();
      notices.hold([]);
      return read;
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      if (!this.options.signal.aborted) notices.hold([error.message]);
      return error.retryable ? { lines: [], isAtEnd: true, hasGap: false } : undefined;
    }
  }

  private give({ owner, stream }: LogPlace, lines: readonly string[]): void {
    for (const line of lines) this.options.onLine({ owner, stream, line });
  }
}

/**
 * Gives out every line of a run's output, in order within each stream, until the run has ended and all is read. Another
 * driver of the same run (a lost worker's is started again under another id) is followed from its first line.
 * @throws UnreachableError when Spark has been silent for two minutes.
 */
export function followLogs(ports: FollowPorts, run: JobRun, options: FollowOptions): Promise<Followed> {
  return new Following(ports, run, options).toTheEnd();
}
