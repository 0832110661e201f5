import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createSchema } from '../../src/adapters/postgres-schema.js';
import { createPool, queryRows, type PostgresAddress } from '../../src/adapters/postgres.js';
import type { VerifyReport } from '../../src/commands/verify.js';
import type { RunningSandbox } from '../../src/core/ports/sandbox.js';
import { startSandbox } from '../../src/sandbox/start-sandbox.js';
import { writeTape } from '../../src/sandbox/tapes/write-archive.js';
import { countBars } from '../support/count-bars.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { callCli, type CliResult } from '../support/run-cli.js';
import { barsOfTape } from '../support/tape-bars.js';

const begin = Date.UTC(2024, 0, 1);
const symbol = 'BTCUSDT';
let folder: string;
let rows: string[][];
let server: TestPostgres;
let sandbox: RunningSandbox;
let pool: pg.Pool;
let address: PostgresAddress;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cryptopipe-verify-'));
  const file = join(folder, `${symbol}-aggTrades-2024-01-01.csv`);
  const { signal } = new AbortController();
  await writeTape({ symbol, trades: 6_000, file, seed: 'verify', ratePerSecond: 10, begin, signal });
  rows = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  sandbox = await startSandbox({
    host: '127.0.0.1',
    port: 0,
    tape: { kind: 'recorded', files: [file], speed: 'all-at-once' },
    klineFiles: [],
    hasRequestLimit: true,
    onBug: (error) => {
      throw error;
    },
  });
  server = await startPostgres();
});
afterAll(async () => {
  await sandbox.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  address = await server.database();
  pool = createPool(address);
  const names = { cleanTable: 'crypto.crypto_prices_clean', barTable: 'crypto.crypto_prices_agg_1min' };
  await createSchema(pool, names).migrate();
  return () => pool.end();
});

/** What the warehouse would hold if these rows of the tape had been counted. */
async function count(counted: readonly string[][]): Promise<void> {
  const ids = counted.map((row) => `[${row[0]},${Number(row[0]) + 1})`);
  await countBars(pool, barsOfTape(counted, symbol, 60_000), ids);
}

const verifyCli = (argv: readonly string[]): Promise<CliResult> =>
  callCli(['verify', '--exchange', sandbox.url, ...argv], {
    PGHOST: address.host,
    PGPORT: String(address.port),
    PGDATABASE: address.database,
    POSTGRES_USER: address.user,
    POSTGRES_PASSWORD: address.password,
  });
const verifyJson = async (argv: readonly string[] = []): Promise<VerifyReport> =>
  JSON.parse((await verifyCli([...argv, '--json'])).out) as VerifyReport;

describe('cryptopipe verify, on a warehouse and an exchange', () => {
  it('proves the bars that were counted, all but those at the edges', async () => {
    await count(rows);
    const { exitCode, out, err } = await verifyCli([]);
    const [report] = (await verifyJson()).symbols;
    expect([exitCode, err]).toEqual([0, '']);
    expect(out).toContain(`proven: ${report!.finalBars} final bars equal the exchange's`);
    expect(report!.bars).toBeGreaterThanOrEqual(8);
    expect(report).toMatchObject({
      finalBars: report!.bars - 2,
      compared: report!.bars - 2,
      verdicts: { equal: report!.bars - 2, edge: 2, different: 0, hole: 0 },
      holes: [],
    });
  });

  it('names the field, both values and the difference where a bar was falsified', async () => {
    await count(rows);
    await queryRows(
      pool,
      'ALTER TABLE crypto.crypto_prices_agg_1min DISABLE TRIGGER final_bars_do_not_change',
    );
    await queryRows(
      pool,
      `UPDATE crypto.crypto_prices_agg_1min SET volume = volume + 0.00000001 WHERE window_start = $1`,
      [new Date(begin + 3 * 60_000)],
    );
    const { exitCode, out } = await verifyCli([]);
    expect(exitCode).toBe(5);
    expect(out).toMatch(/2024-01-01T00:03.*different.*volume.*0\.00000001/);
    const others = await verifyJson(['--from', '2024-01-01T00:04', '--to', String(begin + 9 * 60_000)]);
    expect([others.isProven, others.symbols[0]?.compared]).toEqual([true, 5]);
  });

  it('lists the ids of a hole', async () => {
    const missing = rows[3_000]!;
    await count(rows.filter((row) => row !== missing));
    const { exitCode, out } = await verifyCli([]);
    expect(exitCode).toBe(5);
    expect(out).toContain(`hole: trades ${missing[0]} to ${missing[0]} are missing (1)`);
    expect((await verifyJson()).symbols[0]?.verdicts).toMatchObject({ hole: 1, different: 0 });
  });

  it('says that there is nothing to verify, and takes that for no proof', async () => {
    const none = await verifyCli([]);
    expect([none.exitCode, none.out]).toEqual([5, expect.stringContaining('nothing to verify')]);
    await count(rows);
    const beyond = await verifyCli(['--from', '2030-01-01']);
    expect([beyond.exitCode, beyond.out]).toEqual([
      5,
      expect.stringContaining(`nothing to verify for ${symbol}`),
    ]);
  });

  it('ends with 4 where the database does not answer', async () => {
    address = { ...address, port: 1 };
    const { exitCode, err } = await verifyCli([]);
    expect([exitCode, err]).toEqual([4, expect.stringContaining(':1 did not answer')]);
  });

  it.each([
    ['--last', '15m', '--from', '2024-01-01'],
    ['--from', '2024-01-02', '--to', '2024-01-01'],
    ['--last', 'long'],
    ['--symbols', 'BTC/USDT'],
  ])('refuses %s %s %s %s as wrong usage', async (...argv) => {
    expect((await verifyCli(argv)).exitCode).toBe(2);
  });
});
