import type { Outages } from '../core/outages.js';
import { countIds, countPages, intersectRanges, subtractRanges } from '../core/id-ranges.js';
import { leftOf, mergeLeft, type LeftIds } from '../core/left-ids.js';
import type { BarStore, IdRange, SymbolCoverage } from '../core/ports/bars.js';
import { tradePage, type Exchange } from '../core/ports/exchange.js';
import { awaitCounted, requireCounting, type CountedEnd, type CountedPorts } from './heal/await-counted.js';
import { fetchMissing } from './heal/fetch.js';
import { planSymbol, type SymbolPlan, type WantedRange } from './heal/plan.js';
import { WeightPurse } from './heal/weight-purse.js';
import { patientSink, type PatientSink } from './produce/patient-sink.js';

/** So often an id is sent before the job's silence about it counts as a refusal. */
const tries = 3;
/** Kafka may be gone for so long before a command that somebody waits for gives up. */
const kafkaPatienceMs = 60_000;
const refusedReason = `sent ${tries} times and not counted: its reason stands in rejected/ of the lake, or in crypto.conflicts`;

export interface HealPorts extends CountedPorts {
  readonly exchange: Pick<Exchange, 'trades' | 'tradeRows'>;
  readonly bars: Pick<BarStore, 'coverage' | 'committedOffsets'>;
  readonly sink: PatientSink;
  readonly outages: Outages;
}

export interface HealOptions {
  readonly source: string;
  readonly topic: string;
  /** Undefined means all of which anything is counted. */
  readonly symbols: readonly string[] | undefined;
  readonly wanted: WantedRange;
  /** What this run may ask of the exchange. */
  readonly maxWeight: number;
  /** How long to wait for the coverage after each sending. */
  readonly timeoutMs: number;
  readonly isDryRun: boolean;
  readonly signal: AbortSignal;
}

/** How far it is: trades acknowledged by Kafka in this try, and ids of the missing ones that are still open. */
export interface HealProgress {
  readonly attempt: number;
  readonly phase: 'fetching' | 'waiting';
  readonly sent: number;
  readonly open: number;
}

export interface SymbolHealing {
  readonly symbol: string;
  /** What was missing at the start, without what is not published yet. */
  readonly missing: readonly IdRange[];
  readonly missingIds: number;
  readonly healedIds: number;
  /** What is still missing, and why; in a dry run only what is not published yet. */
  readonly left: readonly LeftIds[];
}

export interface HealReport {
  readonly source: string;
  readonly isDryRun: boolean;
  readonly symbols: readonly SymbolHealing[];
  /** What it cost; in a dry run, what it would cost at least. */
  readonly requests: number;
  readonly weight: number;
  readonly maxWeight: number;
  /** True where nothing is missing that the exchange has by now. */
  readonly isWhole: boolean;
}

interface Work {
  readonly plan: SymbolPlan;
  open: IdRange[];
  left: LeftIds[];
}

/** Fetches by id what the coverage lacks, and waits until it is counted. Sends nothing twice that is counted already. */
export async function heal(
  ports: HealPorts,
  options: HealOptions,
  onProgress: (progress: HealProgress) => void,
): Promise<HealReport> {
  const purse = new WeightPurse(options.maxWeight);
  const works = (await planAll(ports, options, purse)).map((plan): Work => ({
    plan,
    open: [...plan.missing],
    left: leftOf(plan.notYet, 'not yet'),
  }));
  if (!options.isDryRun && openIds(works) > 0) {
    await requireCounting(ports.book, 'Nothing was fetched.');
    const { clock, outages } = ports;
    const sink = patientSink(ports.sink, {
      clock,
      outages,
      giveUpAfterMs: kafkaPatienceMs,
      signal: options.signal,
    });
    await sink.open();
    await healAll({ ...ports, sink }, options, { works, purse, onProgress });
  }
  return reportOf(options, works, purse);
}

async function planAll(ports: HealPorts, options: HealOptions, purse: WeightPurse): Promise<SymbolPlan[]> {
  const coverage = await ports.bars.coverage(options.source);
  const plans: SymbolPlan[] = [];
  for (const symbol of options.symbols ?? coverage.map((known) => known.symbol)) {
    options.signal.throwIfAborted();
    const known = coverage.find((one) => one.symbol === symbol);
    plans.push(
      await planSymbol(
        { exchange: ports.exchange, purse, signal: options.signal },
        symbol,
        known,
        options.wanted,
      ),
    );
  }
  return plans;
}

const openIds = (works: readonly Work[]): number => works.reduce((sum, { open }) => sum + countIds(open), 0);

interface Tools {
  readonly works: readonly Work[];
  readonly purse: WeightPurse;
  readonly onProgress: (progress: HealProgress) => void;
}

async function healAll(ports: HealPorts, options: HealOptions, tools: Tools): Promise<void> {
  const { works } = tools;
  let end: CountedEnd = 'passed';
  for (let attempt = 1; attempt <= tries && end === 'passed' && openIds(works) > 0; attempt += 1)
    end = await tryOnce(ports, options, tools, attempt);
  for (const work of works) {
    const rest =
      end === 'late' ? leftOf(work.open, 'not counted') : leftOf(work.open, 'refused', refusedReason);
    work.left.push(...rest);
  }
}

/** Sends what is open, and waits for it. What cannot be fetched is no longer open. */
async function tryOnce(
  ports: HealPorts,
  options: HealOptions,
  { works, purse, onProgress }: Tools,
  attempt: number,
): Promise<CountedEnd> {
  let sent = 0;
  const say = (phase: HealProgress['phase']): void =>
    onProgress({ attempt, phase, sent, open: openIds(works) });
  for (const work of works) {
    const left = await fetchMissing(
      {
        ...{ exchange: ports.exchange, sink: ports.sink, clock: ports.clock, purse, signal: options.signal },
        onSent: (trades) => {
          sent += trades;
          say('fetching');
        },
      },
      work.plan.symbol,
      work.open,
    );
    work.left.push(...left);
    work.open = subtractRanges(work.open, mergeLeft(left));
  }
  if (openIds(works) === 0) return 'closed';
  return awaitCounted(ports, {
    ...options,
    onCoverage: (coverage) => {
      closeCovered(works, coverage);
      say('waiting');
      return openIds(works);
    },
  });
}

function closeCovered(works: readonly Work[], coverage: readonly SymbolCoverage[]): void {
  for (const work of works) {
    const known = coverage.find(({ symbol }) => symbol === work.plan.symbol);
    work.open = subtractRanges(work.open, known?.ranges ?? []);
  }
}

function reportOf(options: HealOptions, works: readonly Work[], purse: WeightPurse): HealReport {
  const { isDryRun, source, maxWeight } = options;
  const symbols = works.map(({ plan, left }) => symbolReport(plan, left, isDryRun));
  const pages = isDryRun
    ? symbols.reduce((sum, { missing }) => sum + countPages(missing, tradePage.rows), 0)
    : 0;
  const requests = purse.requests + pages;
  const isWhole = symbols.every(
    ({ missingIds, left }) => (!isDryRun || missingIds === 0) && left.every(({ why }) => why === 'not yet'),
  );
  return { source, isDryRun, symbols, requests, weight: requests * tradePage.weight, maxWeight, isWhole };
}

function symbolReport(
  { symbol, missing }: SymbolPlan,
  left: readonly LeftIds[],
  isDryRun: boolean,
): SymbolHealing {
  const missingIds = countIds(missing);
  const unhealed = countIds(intersectRanges(missing, mergeLeft(left)));
  return {
    symbol,
    missing,
    missingIds,
    healedIds: isDryRun ? 0 : missingIds - unhealed,
    left: mergeLeft(left),
  };
}
