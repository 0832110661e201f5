import { InvalidArgumentError, type Command } from 'commander';
import { heal, type HealOptions, type HealProgress } from '../commands/heal.js';
import type { Bound } from '../commands/heal/plan.js';
import { UsageError } from '../core/errors.js';
import type { Clock } from '../core/ports/clock.js';
import { parseStartPoint } from '../core/start-point.js';
import { binanceSpot } from '../core/trade.js';
import type { CliContext } from './context.js';
import { positiveInteger } from './flags.js';
import { exitCodeOf, printHealing, progressText } from './heal-print.js';
import { liveLine } from './live-line.js';
import { printReport } from './print.js';
import { progressIntervalMs } from './produce-print.js';

interface HealFlags {
  readonly symbols?: string;
  readonly from?: Bound;
  readonly to?: Bound;
  readonly maxWeight: number;
  readonly timeout: number;
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
}

const help = `
Examples:
  cryptopipe heal --dry-run
  cryptopipe heal --symbols BTCUSDT --from 2024-08-08 --to 2024-08-09

Fetches by id what is missing inside the coverage, and with --from or --to what is missing of that range beyond its ends,
sends it to Kafka and waits until the streaming job has counted it. 1,000 ids cost a request weight of 4. The default of
--max-weight is half of what the exchange allows in a minute, so that a producer beside it is not held up.

What could not be had is named: never published (the exchange answers with the ids around it), not yet (above its newest
trade), refused (a row that cannot be read, or was sent 3 times and not counted), not counted (the time was over), later
(the weight was spent). Exits with 0 when all that the exchange has by now is counted, else with 5.`;

/** `heal`: fetches the holes of the coverage, and waits until they are closed. */
export function addHeal(program: Command, context: CliContext): void {
  program
    .command('heal')
    .description('fetch by id the trades that are missing in the coverage, and wait until they are counted')
    .option('--symbols <list>', 'comma list; default: all of which anything is counted')
    .option(
      '--from <start>',
      'also what is missing from here on: a time (ISO, UTC; or epoch ms) or an id',
      bound,
    )
    .option('--to <end>', 'also what is missing up to here, not included: a time or an id', bound)
    .option('--exchange <url>', 'address of the exchange; default CRYPTO_API_URL')
    .option('--max-weight <n>', 'request weight that this run may spend', positiveInteger, 3000)
    .option('--timeout <seconds>', 'how long to wait for the coverage', positiveInteger, 300)
    .option('-n, --dry-run', 'list what would be fetched and what it costs', false)
    .option('--json', 'one JSON document', false)
    .option('-q, --quiet', 'no progress', false)
    .addHelpText('after', help)
    .action((flags: HealFlags) => run(context, flags));
}

async function run(context: CliContext, flags: HealFlags): Promise<void> {
  const options = await toOptions(context, flags);
  const line = liveLine(context.io, flags.quiet);
  const app = await context.app({ isPatient: true, outages: (text) => line.keep(text) });
  const stopTelling = app.onExchangeWait(({ reason, ms }) =>
    line.keep(`waiting ${Math.ceil(ms / 1000)} s: ${reason}`),
  );
  try {
    const { barStore: bars, exchange, topics, sink, book, clock, outages } = app;
    const show = everyMs(clock, progressIntervalMs(context.io, flags), (progress: HealProgress) =>
      line.draw(progressText(progress)),
    );
    const report = await heal({ bars, exchange, topics, sink, book, clock, outages }, options, show);
    line.end();
    const exitCode = exitCodeOf(report);
    printReport(context.io, report, { asJson: flags.json, isGood: exitCode === 0 }, printHealing);
    context.setExitCode(exitCode);
  } finally {
    line.end();
    stopTelling();
  }
}

/** Passes on one of many calls: the first, and then one each `ms`. */
function everyMs<T>(clock: Clock, ms: number, show: (value: T) => void): (value: T) => void {
  let shownAt = -Infinity;
  return (value) => {
    if (clock.now() - shownAt < ms) return;
    shownAt = clock.now();
    show(value);
  };
}

async function toOptions(context: CliContext, flags: HealFlags): Promise<HealOptions> {
  const { symbols, kafka } = await context.config();
  const { from, to } = flags;
  if (from !== undefined && to !== undefined && from.kind === to.kind && valueOf(from) >= valueOf(to))
    throw new UsageError('--from is not before --to', { nextStep: 'Exchange the two.' });
  return {
    source: binanceSpot,
    topic: kafka.topic,
    symbols: flags.symbols === undefined ? undefined : symbols,
    wanted: { from, to },
    maxWeight: flags.maxWeight,
    timeoutMs: flags.timeout * 1000,
    isDryRun: flags.dryRun,
    signal: context.signal,
  };
}

const valueOf = (point: Bound): number => (point.kind === 'id' ? point.id : point.time);

function bound(text: string): Bound {
  const point = parseStartPoint(text);
  if (point === undefined || point.kind === 'now')
    throw new InvalidArgumentError('It is neither a time nor a trade id.');
  return point;
}
