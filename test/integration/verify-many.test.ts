import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dailyArchivePath } from '../../src/adapters/binance-archive-file.js';
import { createSchema } from '../../src/adapters/postgres-schema.js';
import { createPool, queryRows, type PostgresAddress } from '../../src/adapters/postgres.js';
import type { VerifyReport } from '../../src/commands/verify.js';
import type { RunningSandbox } from '../../src/core/ports/sandbox.js';
import { startSandbox } from '../../src/sandbox/start-sandbox.js';
import { writeTape } from '../../src/sandbox/tapes/write-archive.js';
import { archiveFolder, type ArchiveFolder } from '../support/archive-folder.js';
import { countBars } from '../support/count-bars.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { callCli } from '../support/run-cli.js';
import { barsOfTape } from '../support/tape-bars.js';

const symbol = 'BTCUSDT';
const dayMs = 86_400_000;
/** The archive counts in µs from the fourth of these days on. */
const begin = Date.UTC(2024, 11, 29);
const newYear = Date.UTC(2025, 0, 1);
const [days, tradesAMinute] = [8, 15];

let folder: string;
let archive: ArchiveFolder;
let sandbox: RunningSandbox;
let server: TestPostgres;
let pool: pg.Pool;
let address: PostgresAddress;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cryptopipe-verify-'));
  archive = archiveFolder();
  const file = join(folder, `${symbol}-aggTrades-2024-12-29.csv`);
  const trades = days * 1440 * tradesAMinute;
  const { signal } = new AbortController();
  await writeTape({ symbol, trades, file, seed: 'many', ratePerSecond: tradesAMinute / 60, begin, signal });
  sandbox = await startSandbox({
    ...{ host: '127.0.0.1', port: 0, klineFiles: [], hasRequestLimit: true },
    tape: { kind: 'recorded', files: [file], speed: 'all-at-once' },
    onBug: (error) => {
      throw error;
    },
  });
  server = await startPostgres();
  address = await server.database();
  pool = createPool(address);
  const names = { cleanTable: 'crypto.crypto_prices_clean', barTable: 'crypto.crypto_prices_agg_1min' };
  await createSchema(pool, names).migrate();
  const rows = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  await countBars(pool, barsOfTape(rows, symbol, 60_000), [`[${rows[0]![0]},${rows.at(-1)![0]}]`]);
  for (let day = begin; day < begin + days * dayMs; day += dayMs) await publish(day);
});
afterAll(async () => {
  await pool.end();
  await sandbox.close();
  await server.stop();
  for (const path of [folder, archive.folder]) rmSync(path, { recursive: true, force: true });
});

/** The day's file of the exchange's own klines; from 2025 on in µs, and here with a header. */
async function publish(day: number): Promise<void> {
  const rows: unknown[][] = [];
  for (const half of [day, day + dayMs / 2]) {
    const range = `startTime=${half}&endTime=${half + dayMs / 2 - 1}&limit=1000`;
    const answer = await fetch(`${sandbox.url}/api/v3/klines?symbol=${symbol}&interval=1m&${range}`);
    rows.push(...((await answer.json()) as unknown[][]));
  }
  const isMicro = day >= newYear;
  const timeOf = (cell: unknown, end: string): string => `${String(cell)}${isMicro ? end : ''}`;
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? timeOf(cell, '000') : column === 6 ? timeOf(cell, '999') : String(cell),
      )
      .join(','),
  );
  const header = isMicro
    ? 'open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore\n'
    : '';
  const name = new Date(day).toISOString().slice(0, 10);
  archive.add(dailyArchivePath('1m', symbol, name), `${header}${lines.join('\n')}\n`);
}

async function verifyAgainst(
  ...argv: string[]
): Promise<{ exitCode: number; report: VerifyReport; ms: number }> {
  const begun = performance.now();
  const { exitCode, out, err } = await callCli(['verify', '--json', ...argv], {
    PGHOST: address.host,
    PGPORT: String(address.port),
    PGDATABASE: address.database,
    POSTGRES_USER: address.user,
    POSTGRES_PASSWORD: address.password,
  });
  expect(err).toBe('');
  return { exitCode, report: JSON.parse(out) as VerifyReport, ms: performance.now() - begun };
}

it.each([
  ['REST', () => ['--exchange', sandbox.url]],
  [
    'the archive, without asking REST',
    () => ['--against', 'archive', '--exchange', 'http://127.0.0.1:1', '--archive', archive.folder],
  ],
])('raises no alarm in ten thousand good bars, held against %s', async (name, argv) => {
  const { exitCode, report, ms } = await verifyAgainst(...argv());
  const [found] = report.symbols;
  const { equal, quiet, edge, ...others } = found!.verdicts;
  expect([exitCode, report.isProven, edge]).toEqual([0, true, 2]);
  expect(equal).toBe(found!.bars - 2);
  expect(equal).toBeGreaterThanOrEqual(10_000);
  expect(equal + quiet + edge).toBe(found!.minutes.length);
  expect(Object.values(others).every((count) => count === 0)).toBe(true);
  expect(found!.days).toHaveLength(days);
  const [kept] = await queryRows<{ count: number }>(pool, 'SELECT count(*) FROM crypto.reconciliations');
  expect(kept?.count).toBe(found!.minutes.length);
  console.info(`${found!.minutes.length} minutes against ${name}: ${Math.round(ms)} ms`);
});

it('holds a single day against REST, saved', async () => {
  const range = ['--from', '2024-12-30', '--to', '2024-12-31'];
  const { exitCode, report, ms } = await verifyAgainst('--exchange', sandbox.url, ...range);
  const [found] = report.symbols;
  expect([exitCode, found!.minutes.length, found!.verdicts.equal + found!.verdicts.quiet]).toEqual([
    0, 1440, 1440,
  ]);
  console.info(`a day of one symbol: ${Math.round(ms)} ms`);
});
