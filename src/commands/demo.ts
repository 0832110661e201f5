import { UnreachableError } from '../core/errors.js';
import type { Bar, BarStore, SymbolFreshness } from '../core/ports/bars.js';
import type { Exchange } from '../core/ports/exchange.js';
import type { Stack } from '../core/ports/stack.js';
import type { Submitted } from './submit.js';
import type { LakeReport } from './lake.js';
import { startProducer, type BackgroundPorts } from './produce/background.js';
import { verify, type VerifyReport } from './verify.js';

const source = 'binance-spot';
const minuteMs = 60_000;
const historyMs = 15 * minuteMs;
/** First bars take a Spark driver, its executor and a first batch that is compiled as it runs. */
const finalBarsTimeoutMs = 300_000;
const lastBarsShown = 5;

export interface DemoPorts extends BackgroundPorts {
  readonly stack: Stack;
  readonly bars: BarStore;
  readonly exchange: Exchange;
  /** Tables, topics and folders. */
  readonly init: () => Promise<unknown>;
  /** The streaming job, with these parameters. */
  readonly submit: (parameters: readonly string[]) => Promise<Submitted>;
  /** Ends the streaming job at a batch boundary. */
  readonly stopJob: () => Promise<unknown>;
  readonly listLake: () => Promise<LakeReport>;
  /** The end of a run's output, for the case that nothing comes of it. */
  readonly logTail: (run: Submitted['run']) => Promise<string>;
  readonly say: (line: string) => void;
}

export interface DemoOptions {
  readonly symbols: readonly string[];
  /** The real exchange instead of the sandbox. */
  readonly isLive: boolean;
  readonly exchangeUrl: string;
  readonly sandboxPort: number;
  /** How many final bars each symbol must have before they are verified. */
  readonly wantedFinalBars: number;
  readonly signal: AbortSignal;
}

export interface DemoStep {
  readonly name: string;
  readonly ms: number;
}

export interface DemoReport {
  /** When the rest was read, epoch ms. */
  readonly at: number;
  readonly steps: readonly DemoStep[];
  /** The last bars of each symbol. */
  readonly bars: readonly Bar[];
  readonly freshness: readonly SymbolFreshness[];
  readonly proof: VerifyReport;
  readonly lake: LakeReport;
  readonly run: Submitted['run'];
}

/** The whole path on one computer: servers, exchange, producer, job, final bars, proof. The first failure ends it. */
export async function demo(ports: DemoPorts, options: DemoOptions): Promise<DemoReport> {
  const { stack, say } = ports;
  const { signal } = options;
  const steps: DemoStep[] = [];
  const step = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    signal.throwIfAborted();
    say(`${name} …`);
    const startedAt = ports.clock.now();
    const result = await work();
    steps.push({ name, ms: ports.clock.now() - startedAt });
    return result;
  };

  await step('downloads', () => stack.install({ say, signal }));
  await step('servers', () => stack.up({ say, signal }));
  await step('topics, tables, folders', ports.init);
  const from = await tapeBegin(ports, options);
  if (!options.isLive) await step('sandbox exchange', () => startSandbox(ports, options, from));
  await step('producer', () => produceInBackground(ports, options, from));
  const { run } = await step('Spark job', () => ports.submit(['lake_interval_ms=10000']));
  await step('final bars', () => waitForFinalBars(ports, options, run));
  const proof = await step('proof', () =>
    verify(
      ports,
      { source, symbols: options.symbols, from: undefined, to: undefined, lastMs: undefined },
      signal,
    ),
  );
  return {
    at: ports.clock.now(),
    steps,
    bars: await lastBars(ports.bars, options.symbols),
    freshness: (await ports.bars.freshness()).filter(({ symbol }) => options.symbols.includes(symbol)),
    proof,
    lake: await ports.listLake(),
    run,
  };
}

/** Ends the job at a batch boundary, then everything that runs; the data stay. */
export async function endDemo(ports: DemoPorts): Promise<void> {
  await ports.stopJob();
  await ports.stack.down({ say: ports.say });
}

/**
 * Where the trades begin: 15 minutes ago, at a whole minute; or with the first bar of an earlier demo, so that what happened
 * between the two is caught up and the proof reaches over both.
 */
async function tapeBegin({ bars, clock }: DemoPorts, { symbols }: DemoOptions): Promise<number> {
  const known = await Promise.all(symbols.map((symbol) => bars.evidence({ source, symbol })));
  const firsts = known.map((evidence) => evidence.bars[0]?.windowStart ?? Infinity);
  return Math.min(Math.floor((clock.now() - historyMs) / minuteMs) * minuteMs, ...firsts);
}

async function startSandbox(
  { background, exchange }: DemoPorts,
  { symbols, sandboxPort, signal }: DemoOptions,
  begin: number,
): Promise<void> {
  await background.start({
    name: 'sandbox',
    args: ['sandbox', '--symbols', symbols.join(','), '--begin', new Date(begin).toISOString()],
    ports: { sandbox: sandboxPort },
    ready: async (attempt) => {
      await exchange.serverTime(attempt);
    },
    signal,
  });
}

async function produceInBackground(
  ports: DemoPorts,
  { symbols, exchangeUrl, signal }: DemoOptions,
  from: number,
): Promise<void> {
  const range = ['--exchange', exchangeUrl, '--from', new Date(from).toISOString(), '--interval', '1000'];
  await startProducer(ports, { args: ['--symbols', symbols.join(','), ...range], symbols }, signal);
}

async function waitForFinalBars(
  ports: DemoPorts,
  options: DemoOptions,
  run: Submitted['run'],
): Promise<void> {
  const { clock, bars, background } = ports;
  const deadline = clock.now() + finalBarsTimeoutMs;
  for (;;) {
    options.signal.throwIfAborted();
    const counts = await Promise.all(options.symbols.map((symbol) => finalBarsOf(bars, symbol)));
    const isInLake = (await bars.committedOffsets('lake')).length > 0;
    if (isInLake && counts.every((count) => count >= options.wantedFinalBars)) return;
    const dead = (await background.list()).find(({ state }) => state === 'died');
    const missing = `final bars: ${options.symbols.map((symbol, i) => `${symbol} ${counts[i] ?? 0}`).join(', ')}`;
    if (dead !== undefined)
      throw new UnreachableError(`${dead.name} ended before the bars were final (${missing})`, {
        nextStep: `Its log: ${dead.logPath}`,
      });
    if (clock.now() > deadline)
      throw new UnreachableError(
        `no ${options.wantedFinalBars} final bars of each symbol after ${finalBarsTimeoutMs / 1000} s (${missing})`,
        {
          logTail: await ports.logTail(run),
          nextStep: 'Look at `cryptopipe status` and `cryptopipe logs streaming`.',
        },
      );
    await clock.sleep(500, options.signal);
  }
}

async function finalBarsOf(bars: BarStore, symbol: string): Promise<number> {
  return (await bars.evidence({ source, symbol })).bars.filter(({ isFinal }) => isFinal).length;
}

async function lastBars(bars: BarStore, symbols: readonly string[]): Promise<Bar[]> {
  const all = await Promise.all(symbols.map((symbol) => bars.evidence({ source, symbol })));
  return all.flatMap((evidence) => evidence.bars.slice(-lastBarsShown));
}
