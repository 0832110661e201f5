import { InvalidArgumentError, Option, type Command } from 'commander';
import { produce, type ProduceWatch } from '../commands/produce.js';
import { pollFeed } from '../commands/produce/poll-feed.js';
import { startProducer, stopProducer } from '../commands/produce/background.js';
import type { SymbolStart } from '../commands/produce/start.js';
import { parseStartPoint, startPointText, type StartPoint } from '../core/start-point.js';
import type { CliContext } from './context.js';
import type { Io } from './io.js';
import { printJson } from './print.js';
import { progressIntervalMs, progressLine, startLine, summaryLines } from './produce-print.js';
import { liveLine } from './live-line.js';

interface ProduceFlags {
  readonly from?: StartPoint;
  readonly untilCaughtUp?: boolean;
  readonly ignoreCursor?: boolean;
  readonly detach?: boolean;
  readonly stop?: boolean;
  readonly background?: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
}

const examples = `
Examples:
  cryptopipe produce --symbols BTCUSDT,ETHUSDT
  cryptopipe produce --symbols BTCUSDT --from 2024-08-08T23:55 --until-caught-up
  cryptopipe produce --detach`;

const ownFlags = ['symbols', 'exchange', 'interval', 'from', 'ignoreCursor', 'untilCaughtUp', 'detach'];

/** `cryptopipe produce`: every trade of the symbols into the topic. */
export function addProduce(program: Command, context: CliContext): void {
  program
    .command('produce')
    .description('bring every trade of the symbols from the exchange into Kafka')
    .option('--symbols <list>', 'comma list; default CRYPTO_SYMBOL')
    .option('--exchange <url>', 'address of the exchange; default CRYPTO_API_URL')
    .option('--interval <ms>', 'pause between two polls when not behind; default CRYPTO_POLL_INTERVAL_MS')
    .option(
      '--from <start>',
      'now (default), a time (ISO, UTC; or epoch ms) or a trade id; only where Kafka holds no cursor',
      startPoint,
    )
    .option('--ignore-cursor', 'let --from hold for every symbol; what is sent twice is counted once')
    .option('--until-caught-up', 'end when there is nothing more to fetch')
    .addOption(new Option('--detach', 'run in the background').conflicts('untilCaughtUp'))
    .addOption(new Option('--stop', 'end the one in the background').conflicts(ownFlags))
    .addOption(new Option('--background', 'what --detach starts').hideHelp())
    .option('--json', 'one JSON object a line on stdout', false)
    .option('-q, --quiet', 'no progress', false)
    .addHelpText('after', examples)
    .action((flags: ProduceFlags) => {
      if (flags.stop === true) return stopInBackground(context, flags);
      return flags.detach === true ? startInBackground(context, flags) : runHere(context, flags);
    });
}

async function runHere({ io, signal, ...context }: CliContext, flags: ProduceFlags): Promise<void> {
  const { symbols, pollIntervalMs } = await context.config();
  const app = await context.app();
  const feed = pollFeed(app.exchange, { pollIntervalMs, untilCaughtUp: flags.untilCaughtUp === true });
  const watch = watchFor(io, flags);
  const unsubscribe = app.onExchangeWait(({ reason, ms }) => watch.onWait(reason, ms));
  try {
    const summary = await produce(
      { feed, topics: app.topics, sink: app.sink, clock: app.clock },
      {
        from: flags.from ?? { kind: 'now' },
        ignoreCursor: flags.ignoreCursor === true,
        symbols,
        progressIntervalMs: progressIntervalMs(io, flags),
        signal,
      },
      watch,
    );
    watch.end();
    if (flags.json) printJson(io, { type: 'summary', ...summary });
    else summaryLines(summary).forEach((line) => io.err(`${line}\n`));
  } finally {
    watch.end();
    unsubscribe();
  }
}

async function startInBackground({ io, signal, ...context }: CliContext, flags: ProduceFlags): Promise<void> {
  const { symbols, exchangeUrl, pollIntervalMs } = await context.config();
  const app = await context.app();
  const args = [
    ...['--symbols', symbols.join(','), '--exchange', exchangeUrl, '--interval', String(pollIntervalMs)],
    ...(flags.from === undefined ? [] : ['--from', startPointText(flags.from)]),
    ...(flags.ignoreCursor === true ? ['--ignore-cursor'] : []),
    ...(flags.quiet ? ['--quiet'] : []),
  ];
  const { process, isNew } = await startProducer(app, { args, symbols }, signal);
  if (flags.json) {
    printJson(io, { ...process, isNew });
    return;
  }
  const pid = process.pid ?? '?';
  io.err(
    isNew
      ? `produce runs in the background (pid ${pid}), log ${process.logPath}\nStop it with \`cryptopipe produce --stop\`.\n`
      : `produce was running already (pid ${pid}, since ${process.startedAt ?? '?'}) and is left as it is.\n`,
  );
}

async function stopInBackground({ io, app }: CliContext, { json }: ProduceFlags): Promise<void> {
  const isStopped = await stopProducer((await app()).background);
  if (json) printJson(io, { isStopped });
  else
    io.err(
      isStopped
        ? 'produce is stopped; its log says what it sent.\n'
        : 'No producer runs in the background.\n',
    );
}

function startPoint(text: string): StartPoint {
  const point = parseStartPoint(text);
  if (point === undefined) throw new InvalidArgumentError('It is neither now, nor a time, nor a trade id.');
  return point;
}

interface Watch extends ProduceWatch {
  readonly onWait: (reason: string, ms: number) => void;
  readonly end: () => void;
}

function watchFor(io: Io, { json, quiet }: ProduceFlags): Watch {
  const line = liveLine(io, quiet);
  const waitText = (reason: string, ms: number): string => `waiting ${(ms / 1000).toFixed(1)} s: ${reason}`;
  const shown: ProduceWatch = {
    onStart: (start) => line.keep(startLine(start)),
    onProgress: (progress) => line.draw(progressLine(progress)),
  };
  if (!json) return { ...shown, onWait: (reason, ms) => line.keep(waitText(reason, ms)), end: line.end };
  return {
    onStart: (start) => printJson(io, { type: 'start', ...startFacts(start) }),
    onProgress: (progress) => quiet || printJson(io, { type: 'progress', ...progress }),
    onWait: (reason, ms) => printJson(io, { type: 'wait', reason, ms }),
    end: line.end,
  };
}

const startFacts = ({ symbol, nextId, reason, newest }: SymbolStart): object => ({
  symbol,
  nextId,
  reason,
  newestId: newest?.aggTradeId,
});
