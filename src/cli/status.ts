import type { Command } from 'commander';
import { status, type StatusOptions } from '../commands/status.js';
import type { Config } from '../config.js';
import type { StatusReport } from '../core/report.js';
import type { CliContext } from './context.js';
import type { Io } from './io.js';
import { printReport, printTable } from './print.js';

/** `status`: every system and the data in one table. */
export function addStatus(program: Command, context: CliContext): void {
  program
    .command('status')
    .description('show every system, the runs, the producers and how new the data are')
    .option('--exchange <url>', 'address of the exchange; default CRYPTO_API_URL')
    .option('--json', 'print one JSON document', false)
    .addHelpText('after', '\nExample: cryptopipe status --json | jq .isHealthy')
    .action(async (flags: { readonly json: boolean }) => {
      const {
        config,
        exchange,
        topics,
        spark,
        files,
        book,
        barStore: bars,
        clock,
        background,
        hdfsState,
        warehouseState,
        disks,
      } = await context.app();
      const report = await status(
        { exchange, topics, spark, files, book, bars, clock, background, hdfsState, warehouseState, disks },
        {
          topic: config.kafka.topic,
          pollIntervalMs: config.pollIntervalMs,
          addresses: addressesOf(config),
          signal: context.signal,
        },
      );
      context.setExitCode(report.exitCode);
      printReport(context.io, report, { asJson: flags.json, isGood: report.isHealthy }, print);
    });
}

function addressesOf(config: Config): StatusOptions['addresses'] {
  const kafka = config.kafka.brokers.join(',');
  const postgres = `${config.postgres.host}:${config.postgres.port}`;
  return {
    exchange: config.exchangeUrl,
    kafka,
    spark: config.spark.uiUrl,
    hdfs: config.hdfs.webUrl,
    postgres,
    producers: kafka,
    data: postgres,
  };
}

/** A cell holds one fact a line: lists are joined by semicolons in a part's summary. */
const cell = (text: string): string => text.replaceAll('; ', '\n');

function print(io: Io, report: StatusReport): void {
  printTable(
    io,
    ['part', 'health', 'what it says'],
    report.parts.map((part) => [part.name, part.health, cell(part.summary)]),
  );
  for (const part of report.parts) for (const problem of part.problems) io.err(`${part.name}: ${problem}\n`);
}
