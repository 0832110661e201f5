import { CryptopipeError, RefusedError, UnreachableError } from '../core/errors.js';
import {
  findData,
  findLag,
  findProducers,
  findSpark,
  type BackgroundState,
} from '../core/pipeline-findings.js';
import type { BarStore } from '../core/ports/bars.js';
import type { Clock } from '../core/ports/clock.js';
import type { Exchange } from '../core/ports/exchange.js';
import type { FileStore } from '../core/ports/files.js';
import type { Topics } from '../core/ports/topic.js';
import {
  answered,
  firstLine,
  shortDuration,
  toReport,
  type Finding,
  type ReportPart,
  type StatusReport,
} from '../core/report.js';
import { listRuns, type SeenRun } from './runs.js';
import type { ReconcilePorts } from './reconcile.js';

export interface StatusPorts extends ReconcilePorts {
  readonly exchange: Pick<Exchange, 'serverTime'>;
  readonly topics: Pick<Topics, 'offsets' | 'cursors'>;
  readonly files: Pick<FileStore, 'list'>;
  readonly bars: Pick<BarStore, 'freshness' | 'committedOffsets'>;
  /** Background processes of cryptopipe's own; undefined where nobody keeps such a list. */
  readonly background?: { list(): Promise<readonly BackgroundState[]> } | undefined;
}

export interface StatusOptions {
  readonly topic: string;
  readonly pollIntervalMs: number;
  /** Where each part is asked, for the one that does not answer. */
  readonly addresses: Readonly<Record<PartName, string>>;
  readonly signal: AbortSignal;
}

type PartName = 'exchange' | 'kafka' | 'spark' | 'hdfs' | 'postgres' | 'producers' | 'data';

interface PartCall {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly addresses: Readonly<Record<PartName, string>>;
}

/** So long one part may take: a dead system must not hide the others. */
const partTimeoutMs = 5000;

/** Gives up on a part when its time is over: the promise at once, what it works on by its signal. */
async function inTime<T>(
  { clock, signal }: PartCall,
  address: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const late = clock.sleep(partTimeoutMs, over.signal).then((): never => {
    over.abort();
    throw new UnreachableError(`no answer from ${address} within ${shortDuration(partTimeoutMs)}`);
  });
  try {
    return await Promise.race([work(AbortSignal.any([signal, over.signal])), late]);
  } finally {
    over.abort();
  }
}

/**
 * A part that could not be read. An error that is none of ours is this part's problem too: it must not hide the others.
 */
function failed(name: string, error: unknown): ReportPart {
  const known = error instanceof CryptopipeError ? error : undefined;
  const message = firstLine(error instanceof Error ? error.message : String(error));
  const problem = known === undefined ? `this is a bug of cryptopipe, please report it: ${message}` : message;
  const isSilent = error instanceof UnreachableError && !(error instanceof RefusedError);
  return {
    name,
    health: isSilent ? 'silent' : 'ill',
    summary: isSilent ? 'did not answer' : error instanceof RefusedError ? 'refused' : 'is not ready',
    problems: [known?.nextStep === undefined ? problem : `${problem}. ${known.nextStep}`],
    facts: {},
  };
}

async function ask(
  call: PartCall,
  name: PartName,
  find: (signal: AbortSignal) => Promise<Finding>,
): Promise<ReportPart> {
  try {
    return answered(name, await inTime(call, call.addresses[name], find));
  } catch (error) {
    return failed(name, error);
  }
}

async function askExchange({ exchange, clock }: StatusPorts, signal: AbortSignal): Promise<Finding> {
  const before = clock.now();
  const serverTime = await exchange.serverTime(signal);
  const answerMs = clock.now() - before;
  const aheadMs = serverTime - (before + answerMs / 2);
  return {
    summary: `answered in ${answerMs} ms, its clock differs by ${shortDuration(Math.abs(aheadMs))}`,
    problems: [],
    facts: { answerMs, clockAheadMs: Math.round(aheadMs) },
  };
}

async function askKafka({ topics, bars, book }: StatusPorts, topic: string): Promise<Finding> {
  const asked = Promise.all([bars.committedOffsets('hot'), book.list({ live: true })]).then(
    ([committed, runs]) => ({ committed, runs }),
    // PostgreSQL has a part of its own, which reports the error.
    () => undefined,
  );
  const [offsets, counting] = await Promise.all([topics.offsets(topic), asked]);
  return findLag(topic, offsets, counting);
}

async function askSpark(ports: StatusPorts, signal: AbortSignal): Promise<Finding> {
  const master = await ports.spark.master(signal);
  const runs: readonly SeenRun[] = await listRuns(ports, { limit: 50 }).then(
    (report) => report.runs,
    // The run store does not answer: PostgreSQL's own part reports it.
    () => [],
  );
  return findSpark(master, runs);
}

async function askHdfs({ files }: StatusPorts, signal: AbortSignal): Promise<Finding> {
  const names = (await files.list('/', signal)).map((entry) => entry.path);
  const hasLake = names.includes('/datalake');
  return {
    summary: hasLake ? 'answers, the lake is there' : 'answers',
    problems: hasLake ? [] : ['there is no /datalake yet: run `cryptopipe init`'],
    facts: { folders: names },
  };
}

async function askPostgres({ book, clock }: StatusPorts): Promise<Finding> {
  const before = clock.now();
  await book.list({ limit: 1 });
  const answerMs = clock.now() - before;
  return { summary: `answered in ${answerMs} ms`, problems: [], facts: { answerMs } };
}

/** Asks every system at once, each with its own time-out, and judges what they say. */
export async function status(ports: StatusPorts, options: StatusOptions): Promise<StatusReport> {
  const { clock, topics, bars, background } = ports;
  const { topic, pollIntervalMs, signal } = options;
  const call = { clock, signal, addresses: options.addresses };
  const parts = await Promise.all([
    ask(call, 'exchange', (limit) => askExchange(ports, limit)),
    ask(call, 'kafka', () => askKafka(ports, topic)),
    ask(call, 'spark', (limit) => askSpark(ports, limit)),
    ask(call, 'hdfs', (limit) => askHdfs(ports, limit)),
    ask(call, 'postgres', () => askPostgres(ports)),
    ask(call, 'producers', async () => {
      const [cursors, processes] = await Promise.all([topics.cursors(), background?.list() ?? []]);
      return findProducers(cursors, processes, { pollIntervalMs, now: clock.now() });
    }),
    ask(call, 'data', async () => findData(await bars.freshness(), clock.now())),
  ]);
  return toReport(clock.now(), parts);
}
