import { InvalidArgumentError, Option, type Command } from 'commander';
import type { App } from '../compose.js';
import { produce } from '../commands/produce.js';
import { archiveFeed, type ArchiveFeed } from '../commands/produce/archive-feed.js';
import type { ArchiveReport } from '../commands/produce/archive-report.js';
import type { Feed } from '../commands/produce/feed.js';
import { pollFeed } from '../commands/produce/poll-feed.js';
import { giveUp } from '../commands/produce/give-up.js';
import { startProducer, stopProducer } from '../commands/produce/background.js';
import { streamFeed } from '../commands/produce/stream-feed.js';
import { tickerFeed } from '../commands/produce/ticker-feed.js';
import { UsageError } from '../core/errors.js';
import { parseStartPoint, startPointText, type StartPoint } from '../core/start-point.js';
import type { CliContext } from './context.js';
import { printJson } from './print.js';
import {
  archiveRange,
  archiveReportLines,
  refuseArchiveFlags,
  type ArchiveFlags,
} from './produce-archive.js';
import { progressIntervalMs, summaryLines } from './produce-print.js';
import { watchFor, type Watch } from './produce-watch.js';

const feedNames = ['stream', 'poll', 'ticker', 'archive'] as const;

interface ProduceFlags extends ArchiveFlags {
  /** Undefined where nobody says: the stream, or what comes to an end. */
  readonly feed?: (typeof feedNames)[number];
  readonly untilCaughtUp?: boolean;
  readonly ignoreCursor?: boolean;
  readonly stop?: boolean;
  readonly giveUp?: string;
  readonly background?: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
}

const examples = `
Examples:
  cryptopipe produce --symbols BTCUSDT,ETHUSDT
  cryptopipe produce --symbols BTCUSDT --from 2024-08-08T23:55 --until-caught-up
  cryptopipe produce --detach
  cryptopipe produce --give-up LUNAUSDT
  cryptopipe produce --feed ticker --interval 1000
  cryptopipe produce --feed archive --from 2024-08-01 --to 2024-08-08`;

/** Kafka may be gone for so long before a command that somebody waits for gives up, ms. */
const patienceMs = 10 * 60_000;

const ownFlags = [
  ...['feed', 'symbols', 'exchange', 'interval', 'from', 'to', 'archive'],
  ...['ignoreCursor', 'untilCaughtUp', 'detach'],
];

/** `cryptopipe produce`: every trade of the symbols into the topic. */
export function addProduce(program: Command, context: CliContext): void {
  program
    .command('produce')
    .description('bring every trade of the symbols from the exchange into Kafka')
    .addOption(
      new Option(
        '--feed <name>',
        'stream (default): trades as the exchange pushes them, gaps fetched by id; poll: asked for by id (default with ' +
          '--until-caught-up); ticker: the last price each interval; archive: daily files',
      ).choices(feedNames),
    )
    .option('--symbols <list>', 'comma list; default CRYPTO_SYMBOL')
    .option('--exchange <url>', 'address of the exchange; default CRYPTO_API_URL')
    .option(
      '--interval <ms>',
      'poll: pause when not behind; ticker: length of a slot; default CRYPTO_POLL_INTERVAL_MS',
    )
    .option(
      '--from <start>',
      'now (default), a time (ISO, UTC; or epoch ms) or a trade id; only where Kafka holds no cursor',
      startPoint,
    )
    .option('--to <day>', 'archive: the last UTC day, included, as --from is the first one')
    .option('--archive <url>', 'address or folder of the archive; default CRYPTO_ARCHIVE_URL')
    .option('--ignore-cursor', 'let --from hold for every symbol; what is sent twice is counted once')
    .option('--until-caught-up', 'end when there is nothing more to fetch')
    .addOption(new Option('--detach', 'run in the background').conflicts('untilCaughtUp'))
    .addOption(new Option('--stop', 'end the one in the background').conflicts(ownFlags))
    .addOption(
      new Option(
        '--give-up <list>',
        'comma list of symbols that are not wanted any more: `status` no longer misses them; stop their producer first',
      ).conflicts([...ownFlags, 'stop']),
    )
    .addOption(new Option('--background', 'what --detach starts').hideHelp())
    .option('--json', 'one JSON object a line on stdout', false)
    .option('-q, --quiet', 'no progress', false)
    .addHelpText('after', examples)
    .action((flags: ProduceFlags) => {
      if (flags.stop === true) return stopInBackground(context, flags);
      if (flags.giveUp !== undefined) return giveUpSymbols(context, flags, flags.giveUp);
      if (flags.feed === 'archive') return runArchive(context, flags);
      refuseArchiveFlags(flags);
      if (flags.feed === 'ticker') refuseTradeFlags(flags);
      return flags.detach === true ? startInBackground(context, flags) : runHere(context, flags);
    });
}

async function runHere(context: CliContext, flags: ProduceFlags): Promise<void> {
  const { pollIntervalMs } = await context.config();
  const untilCaughtUp = flags.untilCaughtUp === true;
  const { feed } = flags;
  if (untilCaughtUp && feed === 'stream')
    throw new UsageError('--feed stream has no end, so --until-caught-up does not go with it', {
      nextStep: 'Leave --feed out, or use --feed poll.',
    });
  await run(context, flags, (app, { onNote }) => {
    if (feed === 'ticker') return tickerFeed(app, { intervalMs: pollIntervalMs });
    return feed === 'poll' || untilCaughtUp
      ? pollFeed(app, { pollIntervalMs, untilCaughtUp })
      : streamFeed(app, onNote);
  });
}

async function runArchive(context: CliContext, flags: ProduceFlags): Promise<void> {
  const range = archiveRange(flags);
  let feed: ArchiveFeed | undefined;
  const feedOf = (app: App, { onArchive }: Watch): Feed =>
    (feed = archiveFeed(app, { range, onEvent: onArchive }));
  await run(context, flags, feedOf, () => feed?.report);
}

async function run(
  { io, signal, ...context }: CliContext,
  flags: ProduceFlags,
  feedOf: (app: App, watch: Watch) => Feed,
  archiveReport: () => ArchiveReport | undefined = () => undefined,
): Promise<void> {
  const { symbols } = await context.config();
  const app = await context.app();
  // Each is made when it is asked for.
  const { clock, outages, producer: identity, sink, topics } = app;
  const watch = watchFor(io, flags);
  const unsubscribe = app.onExchangeWait(({ reason, ms }) => watch.onWait(reason, ms));
  const endOutages = app.outages.listen(watch.onOutage);
  try {
    const summary = await produce(
      { feed: feedOf(app, watch), topics, sink, clock, outages },
      {
        from: flags.from ?? { kind: 'now' },
        ignoreCursor: flags.ignoreCursor === true,
        symbols,
        progressIntervalMs: progressIntervalMs(io, flags),
        identity,
        giveUpAfterMs: hasEnd(flags) ? patienceMs : Infinity,
        signal,
      },
      watch,
    );
    watch.end();
    const archive = archiveReport();
    const lines = [
      ...(archive === undefined ? [] : archiveReportLines(archive)),
      ...summaryLines(summary, flags.feed === 'ticker' ? 'sample' : 'trade'),
    ];
    if (flags.json) printJson(io, { type: 'summary', ...summary, archive });
    else lines.forEach((line) => io.err(`${line}\n`));
  } finally {
    watch.end();
    unsubscribe();
    endOutages();
  }
}

/** Whether somebody waits for the end of it; else it runs until it is stopped, and no outage ends it. */
const hasEnd = ({ feed, untilCaughtUp }: ProduceFlags): boolean =>
  feed === 'archive' || untilCaughtUp === true;

async function startInBackground({ io, signal, ...context }: CliContext, flags: ProduceFlags): Promise<void> {
  const { symbols, exchangeUrl, pollIntervalMs } = await context.config();
  const app = await context.app();
  const args = [
    ...['--symbols', symbols.join(','), '--exchange', exchangeUrl, '--interval', String(pollIntervalMs)],
    ...(flags.feed === undefined ? [] : ['--feed', flags.feed]),
    ...(flags.from === undefined ? [] : ['--from', startPointText(flags.from)]),
    ...(flags.quiet ? ['--quiet'] : []),
  ];
  // A restart that ignored the cursor would fetch everything again, or leave out what was traded since the crash.
  const firstArgs = flags.ignoreCursor === true ? ['--ignore-cursor'] : [];
  const { process, isNew } = await startProducer(app, { args, firstArgs, symbols }, signal);
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

async function giveUpSymbols(
  { io, app }: CliContext,
  { json }: Pick<ProduceFlags, 'json'>,
  list: string,
): Promise<void> {
  const symbols = [...new Set(list.split(',').map((name) => name.trim().toUpperCase()))];
  const cursors = await giveUp(await app(), symbols);
  if (json) printJson(io, { givenUp: cursors });
  else
    for (const { symbol, feed, aggTradeId } of cursors)
      io.err(
        `${symbol} (${feed}) is given up after trade ${aggTradeId}; a later produce goes on after it.\n`,
      );
}

/** A price that is over cannot be sampled any more, so a ticker begins now and has no end. */
function refuseTradeFlags({ from, untilCaughtUp }: ProduceFlags): void {
  const flag = from !== undefined ? '--from' : untilCaughtUp === true ? '--until-caught-up' : undefined;
  if (flag !== undefined)
    throw new UsageError(`--feed ticker samples from now on, so ${flag} does not go with it`, {
      nextStep: `Leave ${flag} out, or take --feed poll for every trade.`,
    });
}

function startPoint(text: string): StartPoint {
  const point = parseStartPoint(text);
  if (point === undefined) throw new InvalidArgumentError('It is neither now, nor a time, nor a trade id.');
  return point;
}
