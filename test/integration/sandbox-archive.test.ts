import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { SandboxOptions } from '../../src/core/ports/sandbox.js';
import { aGeneratedChoice, aSandbox, getJson, stopSandboxes } from '../support/sandbox.js';
import type { KlineRow, TradeRow } from '../support/sandbox.js';
import { unzip } from '../support/unzip.js';

afterEach(stopSandboxes);

const DAY = 24 * 3_600_000;
const trades = (date: string): string => `/data/spot/daily/aggTrades/BTCUSDT/BTCUSDT-aggTrades-${date}.zip`;
const minutes = (date: string): string => `/data/spot/daily/klines/BTCUSDT/1m/BTCUSDT-1m-${date}.zip`;
const beginning = (time: number, overrides: Partial<SandboxOptions> = {}): Partial<SandboxOptions> => ({
  tape: aGeneratedChoice({
    ratePerSecond: 0.2,
    begin: { time },
    oddities: { hasBursts: false, hasNeutralised: true, hasHalts: true, halts: [] },
  }),
  ...overrides,
});

async function file(url: string, path: string): Promise<{ name: string; lines: string[][]; bytes: Buffer }> {
  const answer = await fetch(`${url}${path}`);
  expect(answer.status).toBe(200);
  const bytes = Buffer.from(await answer.arrayBuffer());
  const { name, text } = await unzip(bytes);
  expect(text.endsWith('\n')).toBe(true);
  return {
    name,
    bytes,
    lines: text
      .trimEnd()
      .split('\n')
      .map((line) => line.split(',')),
  };
}
const asLine = ({ a, p, q, f, l, T, m, M }: TradeRow, scale: number): string =>
  [a, p, q, f, l, T * scale, m ? 'True' : 'False', M ? 'True' : 'False'].join(',');

async function allTrades(url: string, from: number, to: number): Promise<TradeRow[]> {
  const api = `${url}/api/v3/aggTrades?symbol=BTCUSDT&limit=1000`;
  const rows: TradeRow[] = [];
  let page = await getJson<TradeRow[]>(api, `&startTime=${from}`);
  while (page.length > 0 && page[0]!.T < to) {
    rows.push(...page);
    page = await getJson<TradeRow[]>(api, `&fromId=${page.at(-1)!.a + 1}`);
  }
  return rows.filter(({ T }) => T < to);
}

describe('the archive of the sandbox', () => {
  it.each([
    ['milliseconds up to 2024', Date.UTC(2024, 11, 31), '2024-12-31', 1],
    ['microseconds from 2025 on', Date.UTC(2025, 0, 1), '2025-01-01', 1000],
  ])('has the trades and the klines that REST answers, in %s', async (_, day, date, scale) => {
    const { url } = await aSandbox(beginning(day));
    const { name, lines } = await file(url, trades(date));
    expect(name).toBe(`BTCUSDT-aggTrades-${date}.csv`);
    const rows = await allTrades(url, day, day + DAY);
    expect(lines.map((line) => line.join(','))).toEqual(rows.map((row) => asLine(row, scale)));
    expect(rows.some(({ f }) => f === -1)).toBe(true);

    const bars = await file(url, minutes(date));
    expect(bars.name).toBe(`BTCUSDT-1m-${date}.csv`);
    const header = { 'X-MBX-TIME-UNIT': scale === 1 ? 'MILLISECOND' : 'MICROSECOND' };
    const klines = `/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=1000&endTime=${day + DAY - 1}`;
    const first = await getJson<KlineRow[]>(url, `${klines}&startTime=${day}`, header);
    const rest = await getJson<KlineRow[]>(
      url,
      `${klines}&startTime=${first.at(-1)![0] / scale + 1}`,
      header,
    );
    expect(bars.lines).toEqual([...first, ...rest].map((row) => row.map(String)));
    // Halts are minutes without a line.
    expect(bars.lines.length).toBeLessThan(1_440);
    expect(bars.lines.length).toBeGreaterThan(1_200);
  });

  it('has the checksum of the bytes beside each file, whichever is asked for first', async () => {
    const { url } = await aSandbox(beginning(Date.UTC(2024, 11, 31)));
    for (const path of [trades('2024-12-31'), minutes('2024-12-31')]) {
      const sum = await (await fetch(`${url}${path}.CHECKSUM`)).text();
      const { bytes } = await file(url, path);
      const expected = createHash('sha256').update(bytes).digest('hex');
      expect(sum).toBe(`${expected}  ${path.split('/').at(-1)!}\n`);
    }
  });

  it.each([
    ['a day before the tape', trades('2024-12-30')],
    ['a day that has begun', trades(new Date().toISOString().slice(0, 10))],
    ['another symbol', trades('2024-12-31').replaceAll('BTCUSDT', 'NONE')],
    ['a name of another folder', trades('2024-12-31').replace('/BTCUSDT/', '/ETHUSDT/')],
    ['a day that is none', trades('2024-13-31')],
    ['monthly files', trades('2024-12-31').replace('daily', 'monthly')],
  ])('answers 404 for %s', async (_, path) => {
    const { url } = await aSandbox(beginning(Date.UTC(2024, 11, 31)));
    for (const name of [path, `${path}.CHECKSUM`]) expect((await fetch(`${url}${name}`)).status).toBe(404);
  });

  it('leaves stretches out where that was asked for, the same each time', async () => {
    const day = Date.UTC(2024, 11, 31);
    const holed = beginning(day, { archive: { holesPerDay: 5, hasToday: false } });
    const { url } = await aSandbox(holed);
    const ids = (await file(url, trades('2024-12-31'))).lines.map(([id]) => Number(id));
    const all = (await allTrades(url, day, day + DAY)).map(({ a }) => a);
    const missing = ids.slice(1).map((id, index) => id - ids[index]! - 1);
    expect(missing.filter((count) => count > 0)).toHaveLength(5);
    expect(Math.max(...missing)).toBeLessThanOrEqual(600);
    expect([ids[0], ids.at(-1)]).toEqual([all[0], all.at(-1)]);
    const again = await aSandbox(holed);
    expect((await file(again.url, trades('2024-12-31'))).lines.map(([id]) => Number(id))).toEqual(ids);
  });

  it('has the begun day as far as the tape went, where that was asked for', async () => {
    const { url } = await aSandbox({
      tape: aGeneratedChoice({ ratePerSecond: 1, begin: { historyMinutes: 60 } }),
      archive: { holesPerDay: 0, hasToday: true },
    });
    const asked = Date.now();
    // Just after midnight the newest file with trades is that of the day before.
    const date = new Date(asked - 30 * 60_000).toISOString().slice(0, 10);
    const { lines } = await file(url, trades(date));
    const rows = await allTrades(url, Number(lines[0]![5]) / 1000, Number(lines.at(-1)![5]) / 1000 + 1);
    expect(lines.map((line) => line.join(','))).toEqual(rows.map((row) => asLine(row, 1000)));
    const klines = (await file(url, minutes(date))).lines;
    expect(klines.every((row) => Number(row[6]) / 1000 <= Date.now())).toBe(true);
  });
});
