import { Option, type Command } from 'commander';
import { demo, demoAndDown, type DemoPorts, type DemoReport } from '../commands/demo.js';
import { demoOptions } from '../commands/demo/options.js';
import { init } from '../commands/init.js';
import { listLake } from '../commands/lake.js';
import { stop } from '../commands/stop.js';
import { submit } from '../commands/submit.js';
import type { App } from '../compose.js';
import { workOf } from '../commands/render.js';
import { findJob } from '../core/job.js';
import type { CliContext } from './context.js';
import type { Io } from './io.js';
import { printLake } from './lake.js';
import { printJson, printTable } from './print.js';
import { printVerify } from './verify-print.js';

interface DemoFlags {
  readonly live: boolean;
  readonly down: boolean;
  readonly json: boolean;
}

const help = `
Starts the servers, a stand-in exchange with a generated tape, the producer and the Spark job; waits until bars are final;
holds every one of them against the exchange's. What it starts goes on until \`cryptopipe stack down\`; a second demo finds
it running, or its data.

Example: cryptopipe demo --down`;

/** `demo`: the whole path from one command. */
export function addDemo(program: Command, context: CliContext): void {
  program
    .command('demo')
    .description('the whole path on this computer, from an exchange to bars that are proven')
    .option('--symbols <list>', 'comma list; default CRYPTO_SYMBOL, else BTCUSDT,ETHUSDT')
    .addOption(new Option('--exchange <url>').default('sandbox').hideHelp())
    .addOption(
      new Option('--live', 'the real exchange (CRYPTO_API_URL) instead of the sandbox')
        .default(false)
        .implies({ exchange: '' }),
    )
    .option('--down', 'stop everything at the end', false)
    .option('--json', 'one JSON document', false)
    .addHelpText('after', help)
    .action(async (flags: DemoFlags) => {
      const app = await context.app();
      const options = demoOptions(app.config, flags.live, context.signal);
      const run = flags.down ? demoAndDown : demo;
      const report = await run(portsOf(app, context), options);
      if (flags.json) printJson(context.io, report);
      else print(context.io, report, app, flags.down);
      if (!report.proof.isProven) context.setExitCode(5);
    });
}

function portsOf(app: App, { io, signal }: CliContext): DemoPorts {
  const {
    stack,
    background,
    barStore: bars,
    exchange,
    klineArchive: archive,
    reconciliations,
    clock,
    templates,
    files,
    book,
    spark,
    topics,
    schema,
    pageServer: page,
  } = app;
  const say = (line: string): void => io.err(`${line}\n`);
  const { raw, clean, rejected } = app.folders;
  const runPorts = { files, book, spark, clock, say };
  return {
    ...{ stack, background, page, topics, bars, exchange, archive, reconciliations, clock, say },
    init: () => init({ topics, schema, files }, { folders: Object.values(app.folders), isDryRun: false }),
    submit: (overrides) =>
      submit(runPorts, {
        work: workOf(templates, findJob('streaming', app.jobs), overrides),
        submittedBy: app.submittedBy,
        secrets: app.secrets,
        runId: app.newRunId(),
        hdfsRoot: app.config.hdfs.root,
        cluster: app.clusterView,
        registerTimeoutMs: 180_000,
        signal,
      }),
    stopJob: async () => {
      try {
        await stop(runPorts, {
          run: 'streaming',
          kill: false,
          timeoutMs: 60_000,
          signal: AbortSignal.timeout(90_000),
        });
      } catch (error) {
        // What is stopped next takes the job with it; that it was not there, or would not stop, is said and no more.
        say((error as Error).message);
      }
    },
    listLake: () => listLake(app.lake, { areas: { raw, clean, rejected }, path: undefined, isByLeaf: false }),
    logTail: async ({ submissionId }) =>
      submissionId === undefined
        ? ''
        : spark.driverLog(submissionId, 'stdout', 4000).catch((error: unknown) => (error as Error).message),
  };
}

function print(io: Io, report: DemoReport, app: App, isDown: boolean): void {
  printTable(
    io,
    ['symbol', 'minute (UTC)', 'open', 'high', 'low', 'close', 'volume', 'trades', 'final'],
    report.bars.map((bar) => [
      bar.symbol,
      new Date(bar.windowStart).toISOString().slice(0, 16),
      ...[bar.open, bar.high, bar.low, bar.close, bar.volume].map(withoutZeros),
      String(bar.tradeCount),
      bar.isFinal ? 'yes' : 'not yet',
    ]),
  );
  printVerify(io, report.proof);
  for (const { symbol, newestTradeAt } of report.freshness)
    io.out(
      `${symbol}: the newest trade in PostgreSQL is ${newestTradeAt === undefined ? 'none' : `${((report.at - newestTradeAt) / 1000).toFixed(1)} s old now`}\n`,
    );
  printLake(io, report.lake, undefined);
  io.out(`memory of the whole stack: ${Math.round(report.memoryBytes / 1e6)} MB\n`);
  printTable(
    io,
    ['step', 'seconds'],
    report.steps.map(({ name, ms }) => [name, (ms / 1000).toFixed(1)]),
  );
  if (isDown) io.err('Everything is stopped; the data are kept.\n');
  else printAddresses(io, report, app);
}

function printAddresses({ out, err }: Io, { run }: DemoReport, { config }: App): void {
  out(`page         http://127.0.0.1:${config.native.ports.dashboard}\n`);
  out(`Spark        ${config.spark.uiUrl}, the job ${run.uiUrl ?? ''}\n`);
  out(
    `PostgreSQL   postgresql://${config.postgres.user}@${config.postgres.host}:${config.postgres.port}/${config.postgres.database}\n`,
  );
  out(`WebHDFS      ${config.hdfs.webUrl}/webhdfs/v1/datalake?op=LISTSTATUS\n`);
  out(`exchange     ${config.exchangeUrl}\n`);
  err(
    `It goes on. Look again: cryptopipe status --exchange ${config.exchangeUrl}   Stop it: cryptopipe stack down\n`,
  );
}

const withoutZeros = (amount: string): string =>
  amount.includes('.') ? amount.replace(/\.?0+$/, '') : amount;
