import { CryptopipeError, RefusedError, UnreachableError } from '../core/errors.js';
import { findData, quietSymbols, type NextTrade, type QuietSymbol } from '../core/data-findings.js';
import { findDisks, type DiskSpace } from '../core/disk-space.js';
import { findLag, findSpark, isAhead } from '../core/pipeline-findings.js';
import { findProducers, type BackgroundState } from '../core/producer-findings.js';
import type { BarStore, WarehouseState } from '../core/ports/bars.js';
import type { Clock } from '../core/ports/clock.js';
import type { Exchange } from '../core/ports/exchange.js';
import type { FileStore, HdfsState } from '../core/ports/files.js';
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
import { findHdfs, findPostgres } from '../core/storage-findings.js';
import { isTickerSource } from '../core/price-sample.js';
import { listRuns, type SeenRun } from './runs.js';
import type { ReconcilePorts } from './reconcile.js';

export interface StatusPorts extends ReconcilePorts {
  readonly exchange: Pick<Exchange, 'serverTime' | 'trades'>;
  readonly topics: Pick<Topics, 'offsets' | 'produced'>;
  readonly files: Pick<FileStore, 'list'>;
  readonly bars: Pick<BarStore, 'freshness' | 'committedOffsets'>;
  /** Undefined where the address is not that of a NameNode. */
  readonly hdfsState: (signal?: AbortSignal) => Promise<HdfsState | undefined>;
  readonly warehouseState: () => Promise<WarehouseState>;
  /** The disks of this computer's own servers; none where they run elsewhere. */
  readonly disks: () => Promise<readonly DiskSpace[]>;
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

async function askKafka(
  { topics, bars, book }: StatusPorts,
  topic: string,
  signal: AbortSignal,
): Promise<Finding> {
  const asked = Promise.all([
    bars.committedOffsets('hot'),
    bars.committedOffsets('lake'),
    book.list({ live: true }),
  ]).then(
    ([committed, lake, runs]) => ({ committed, lake, runs }),
    // PostgreSQL has a part of its own, which reports the error.
    () => undefined,
  );
  const [offsets, counting] = await Promise.all([topics.offsets(topic, signal), asked]);
  const isEarly = counting !== undefined && isAhead(topic, offsets, counting);
  return findLag(topic, isEarly ? await topics.offsets(topic, signal) : offsets, counting);
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

async function askHdfs({ files, hdfsState }: StatusPorts, signal: AbortSignal): Promise<Finding> {
  const [entries, state] = await Promise.all([files.list('/', signal), hdfsState(signal)]);
  return findHdfs(
    entries.map((entry) => entry.path),
    state,
  );
}

async function askPostgres({ book, clock, warehouseState }: StatusPorts): Promise<Finding> {
  const before = clock.now();
  await book.list({ limit: 1 });
  const answerMs = clock.now() - before;
  return findPostgres(answerMs, await warehouseState());
}

/** Each question costs the exchange's request budget, and one stale symbol is enough to look. */
const mostAsked = 10;

async function askData(
  { bars, topics, exchange, clock }: StatusPorts,
  signal: AbortSignal,
): Promise<Finding> {
  // Kafka and the exchange have parts of their own, which report their errors.
  const [freshness, cursors] = await Promise.all([
    bars.freshness(),
    topics.produced(signal).then(
      ({ cursors: all }) => all,
      () => [],
    ),
  ]);
  const quiet = quietSymbols(freshness, cursors, clock.now()).slice(0, mostAsked);
  const next = await Promise.all(quiet.map((one) => nextTradeOf(exchange, one, signal)));
  return findData(freshness, clock.now(), quiet, next);
}

async function nextTradeOf(
  exchange: StatusPorts['exchange'],
  { source, symbol, newestTradeAt }: QuietSymbol,
  signal: AbortSignal,
): Promise<NextTrade> {
  if (isTickerSource(source)) return 'unknown';
  const query = { symbol, limit: 1, startTime: newestTradeAt + 1 };
  return exchange.trades(query, signal).then(
    ([first]) => first?.eventTime ?? 'none',
    () => 'unknown',
  );
}

/** Asks every system at once, each with its own time-out, and judges what they say. */
export async function status(ports: StatusPorts, options: StatusOptions): Promise<StatusReport> {
  const { clock, topics, background, disks } = ports;
  const { topic, pollIntervalMs, signal } = options;
  const call = { clock, signal, addresses: options.addresses };
  const parts = await Promise.all([
    ask(call, 'exchange', (limit) => askExchange(ports, limit)),
    ask(call, 'kafka', (limit) => askKafka(ports, topic, limit)),
    ask(call, 'spark', (limit) => askSpark(ports, limit)),
    ask(call, 'hdfs', (limit) => askHdfs(ports, limit)),
    ask(call, 'postgres', () => askPostgres(ports)),
    ask(call, 'producers', async (limit) => {
      const [produced, processes] = await Promise.all([topics.produced(limit), background?.list() ?? []]);
      return findProducers(produced, processes, { pollIntervalMs, now: clock.now() });
    }),
    ask(call, 'data', (limit) => askData(ports, limit)),
  ]);
  const local = await disks();
  const disk = local.length === 0 ? [] : [answered('disk', findDisks(local))];
  return toReport(clock.now(), [...parts, ...disk]);
}
