import type { Bar, SymbolFreshness } from '../core/ports/bars.js';
import type { PageServer } from '../core/ports/dashboard.js';
import type { Stack } from '../core/ports/stack.js';
import { waitForFinalBars, type FinalBarsPorts } from './demo/final-bars.js';
import type { Submitted } from './submit.js';
import type { LakeReport } from './lake.js';
import { startProducer, type BackgroundPorts } from './produce/background.js';
import { verify, type VerifyPorts, type VerifyReport } from './verify.js';

const source = 'binance-spot';
const minuteMs = 60_000;
const historyMs = 15 * minuteMs;
/** How far back the proof reaches: over the 15 minutes that a first demo begins with, and a little more. */
const provenMs = 20 * minuteMs;
const lastBarsShown = 5;

export interface DemoPorts extends BackgroundPorts, FinalBarsPorts, VerifyPorts {
  readonly exchange: VerifyPorts['exchange'];
  readonly background: FinalBarsPorts['background'];
  readonly stack: Stack;
  readonly page: Pick<PageServer, 'probe'>;
  /** Tables, topics and folders. */
  readonly init: () => Promise<unknown>;
  /** The streaming job, with these parameters. */
  readonly submit: (parameters: readonly string[]) => Promise<Submitted>;
  /** Ends the streaming job at a batch boundary. */
  readonly stopJob: () => Promise<unknown>;
  readonly listLake: () => Promise<LakeReport>;
}

export interface DemoOptions {
  readonly symbols: readonly string[];
  /** The real exchange instead of the sandbox. */
  readonly isLive: boolean;
  readonly exchangeUrl: string;
  readonly sandboxPort: number;
  readonly pagePort: number;
  /** How many final bars each symbol must have before they are verified. */
  readonly wantedFinalBars: number;
  readonly signal: AbortSignal;
}

export interface DemoStep {
  readonly name: string;
  readonly ms: number;
}

export interface DemoReport {
  /** When `freshness` was read, epoch ms. */
  readonly at: number;
  readonly steps: readonly DemoStep[];
  /** The last bars of each symbol. */
  readonly bars: readonly Bar[];
  readonly freshness: readonly SymbolFreshness[];
  readonly proof: VerifyReport;
  readonly lake: LakeReport;
  /** Of all servers, with the job, and of what runs in the background; a process that could not be asked is not in it. */
  readonly memoryBytes: number;
  readonly run: Submitted['run'];
}

/** What an earlier demo has left, and what follows from it for this one. Times are epoch ms. */
interface Beginning {
  /** When servers and tables were there, and the data were looked at. */
  readonly startedAt: number;
  /** Where the trades begin. */
  readonly tapeFrom: number;
  /** From where on the bars are proven. */
  readonly from: number;
  /** How far the last bar lies behind the start. */
  readonly behindMs: number;
}

/** The whole path on one computer: servers, exchange, producer, job, final bars, proof. The first failure ends it. */
export async function demo(ports: DemoPorts, options: DemoOptions): Promise<DemoReport> {
  const { stack, say } = ports;
  const { signal } = options;
  const steps: DemoStep[] = [];
  const step = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    signal.throwIfAborted();
    say(`${name} …`);
    const stepAt = ports.clock.now();
    const result = await work();
    steps.push({ name, ms: ports.clock.now() - stepAt });
    return result;
  };

  await step('downloads', () => stack.install({ say, signal }));
  await step('servers', () => stack.up({ say, signal }));
  await step('topics, tables, folders', ports.init);
  const beginning = await findBeginning(ports, options);
  const lakeBefore = await ports.bars.committedOffsets('lake');
  const { tapeFrom } = beginning;
  if (!options.isLive) await step('sandbox exchange', () => startSandbox(ports, options, tapeFrom));
  await step('producer', () => produceInBackground(ports, options, tapeFrom));
  const { run } = await step('Spark job', () => ports.submit(['lake_interval_ms=10000']));
  await step('page', () => startPage(ports, options));
  say(`watch it at http://127.0.0.1:${options.pagePort}`);
  const wanted = {
    ...beginning,
    source,
    symbols: options.symbols,
    count: options.wantedFinalBars,
    processes: options.isLive ? ['produce'] : ['sandbox', 'produce'],
    lakeBefore,
    run,
    signal,
  };
  await step('final bars', () => waitForFinalBars(ports, wanted));
  const proof = await step('proof', () =>
    verify(
      ports,
      {
        ...{ source, symbols: options.symbols, from: beginning.from, to: undefined, lastMs: undefined },
        ...{ against: 'rest', isDryRun: false },
      },
      signal,
    ),
  );
  return { steps, proof, run, ...(await look(ports, options)) };
}

/** What there is now; the age of the newest trade comes last, so that nothing makes it older. */
async function look(
  { bars, clock, listLake, stack }: DemoPorts,
  { symbols }: DemoOptions,
): Promise<Omit<DemoReport, 'steps' | 'proof' | 'run'>> {
  const shown = await lastBars(bars, symbols);
  const lake = await listLake();
  const memoryBytes = (await stack.status()).reduce((sum, process) => sum + (process.memoryBytes ?? 0), 0);
  const freshness = (await bars.freshness()).filter(({ symbol }) => symbols.includes(symbol));
  return { at: clock.now(), bars: shown, lake, memoryBytes, freshness };
}

/** A demo after which nothing runs: its own failure is what is thrown, one of the end is then only said. */
export async function demoAndDown(ports: DemoPorts, options: DemoOptions): Promise<DemoReport> {
  let isSubmitted = false;
  const submit: DemoPorts['submit'] = (parameters) => {
    isSubmitted = true;
    return ports.submit(parameters);
  };
  let report: DemoReport;
  try {
    report = await demo({ ...ports, submit }, options);
  } catch (error) {
    await endDemo(ports, isSubmitted).catch((second: unknown) =>
      ports.say(`What the demo started could not be stopped: ${(second as Error).message}`),
    );
    throw error;
  }
  await endDemo(ports, isSubmitted);
  return report;
}

/** Ends the job at a batch boundary, then everything that runs; the data stay. */
async function endDemo(ports: DemoPorts, isSubmitted: boolean): Promise<void> {
  if (isSubmitted) await ports.stopJob();
  await ports.stack.down({ say: ports.say });
}

/**
 * The trades begin 15 minutes ago, at a whole minute; or with the first bar of an earlier demo, so that what happened between
 * the two is caught up. The proof reaches back 20 minutes: after a demo that stood for days, it is this one's that counts.
 */
async function findBeginning({ bars, clock, say }: DemoPorts, { symbols }: DemoOptions): Promise<Beginning> {
  const startedAt = clock.now();
  const wholeMinute = (time: number): number => Math.floor(time / minuteMs) * minuteMs;
  const known = await Promise.all(symbols.map((symbol) => bars.evidence({ source, symbol })));
  const starts = known.map((evidence) => evidence.bars.map(({ windowStart }) => windowStart));
  const tapeFrom = Math.min(
    wholeMinute(startedAt - historyMs),
    ...starts.map((times) => times[0] ?? Infinity),
  );
  const from = Math.max(tapeFrom, wholeMinute(startedAt - provenMs));
  if (from > tapeFrom)
    say(
      `An earlier demo left bars since ${new Date(tapeFrom).toISOString()}. They are caught up; proven here are those since ${new Date(from).toISOString()}, all by \`cryptopipe verify\`.`,
    );
  const behindMs = startedAt - Math.min(...starts.map((times) => times.at(-1) ?? tapeFrom));
  return { startedAt, tapeFrom, from, behindMs };
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

/** The page to look at while the first bars become final, and until `stack down`. */
async function startPage(
  { background, page }: DemoPorts,
  { symbols, pagePort, signal }: DemoOptions,
): Promise<void> {
  await background.start({
    name: 'dashboard',
    args: ['dashboard', '--symbols', symbols.join(',')],
    ports: { dashboard: pagePort },
    ready: (attempt) => page.probe(pagePort, attempt),
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

async function lastBars(bars: DemoPorts['bars'], symbols: readonly string[]): Promise<Bar[]> {
  const all = await Promise.all(symbols.map((symbol) => bars.evidence({ source, symbol })));
  return all.flatMap((evidence) => evidence.bars.slice(-lastBarsShown));
}
