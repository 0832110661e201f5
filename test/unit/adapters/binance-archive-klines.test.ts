import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dailyArchivePath } from '../../../src/adapters/binance-archive-file.js';
import { binanceArchiveKlines } from '../../../src/adapters/binance-archive-klines.js';
import { archiveFolder, type ArchiveFolder } from '../../support/archive-folder.js';

const day = Date.UTC(2025, 0, 1);
const micro = (minute: number): string => `${day + minute * 60_000}000`;
const rowAt = (minute: number, cells: Record<number, string> = {}): string =>
  [
    micro(minute),
    '1.1',
    '1.4',
    '1.0',
    '1.2',
    '5.5',
    `${day + minute * 60_000 + 59_999}999`,
    '6.05',
    '7',
    '2.5',
    '2.75',
    '0',
  ]
    .map((cell, column) => cells[column] ?? cell)
    .join(',');

let archive: ArchiveFolder;
beforeEach(() => {
  archive = archiveFolder();
});
afterEach(() => rmSync(archive.folder, { recursive: true }));

const read = (csv: string) => {
  archive.add(dailyArchivePath('1m', 'BTCUSDT', '2025-01-01'), csv);
  return binanceArchiveKlines(archive).klinesOfDay('BTCUSDT', day);
};

describe("a day of the exchange's kline files", () => {
  it('is read in µs, in nine fields, and a halt is a row that is not there', async () => {
    const klines = await read(`${rowAt(0)}\n${rowAt(2)}\n`);
    expect(klines?.map(({ openTime }) => (openTime - day) / 60_000)).toEqual([0, 2]);
    expect(klines?.[0]).toEqual({
      ...{ openTime: day, open: '1.1', high: '1.4', low: '1.0', close: '1.2', volume: '5.5' },
      ...{ quoteVolume: '6.05', tradeCount: 7, takerBuyVolume: '2.5', takerBuyQuoteVolume: '2.75' },
    });
  });

  it('is undefined where it is not published', async () => {
    expect(await binanceArchiveKlines(archive).klinesOfDay('BTCUSDT', day)).toBeUndefined();
  });

  it.each([
    ['an amount that is none', rowAt(1, { 5: '1e3' })],
    ['a count that is none', rowAt(1, { 8: '7.0' })],
    ['a minute of another day', rowAt(1440)],
    ['a time within a minute', rowAt(1, { 0: `${day + 90_000}000` })],
    ['a minute that was there', rowAt(0)],
    ['too few columns', rowAt(1).slice(0, -2)],
  ])('is refused with %s, by its line', async (_what, row) => {
    await expect(read(`${rowAt(0)}\n${row}\n`)).rejects.toMatchObject({
      exitCode: 5,
      message: /BTCUSDT-1m-2025-01-01\.zip, line 2, is not the next one-minute kline of its day/,
    });
  });
});
