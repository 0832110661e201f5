import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readKlineFiles } from '../../../src/sandbox/klines-file.js';
import { GeneratedTape } from '../../../src/sandbox/tapes/generated.js';
import { readRecordedTapes } from '../../../src/sandbox/tapes/recorded.js';
import { writeTape } from '../../../src/sandbox/tapes/write-archive.js';
import { zipOf } from '../../support/zip.js';

let folder: string;
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'cryptopipe-tape-'))));
afterAll(() => rm(folder, { recursive: true }));

const rowOf = (id: number, time: number | string, rest = 'True,True'): string =>
  `${id},61837.63000000,0.02000000,${id * 2},${id * 2 + 1},${time},${rest}\n`;

async function aFile(name: string, content: string | Buffer): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, content);
  return file;
}

const idsAndTimes = async (...files: string[]): Promise<[number, number][]> => {
  const tape = (await readRecordedTapes(files)).get('BTCUSDT')!;
  return tape.trades(0, 100).map(({ id, time }) => [id, time]);
};

describe('a recorded tape', () => {
  const text = `${rowOf(7, 1_723_161_255_342)}${rowOf(8, 1_723_161_255_617, 'False,True')}`;

  it('has every field of the archive', async () => {
    const tapes = await readRecordedTapes([await aFile('BTCUSDT-aggTrades-2024-08-08.csv', text)]);
    expect(tapes.get('BTCUSDT')?.trades(1, 2)).toEqual([
      {
        id: 8,
        price: 6_183_763_000_000n,
        quantity: 2_000_000n,
        firstTradeId: 16,
        lastTradeId: 17,
        time: 1_723_161_255_617,
        buyerIsMaker: false,
        isBestMatch: true,
      },
    ]);
    expect(tapes.get('BTCUSDT')?.rules).toMatchObject({
      baseAsset: 'BTC',
      tickUnits: 1_000_000,
      lotUnits: 1_000,
    });
  });

  it('reads csv, csv.gz and zip alike', async () => {
    const expected = [
      [7, 1_723_161_255_342],
      [8, 1_723_161_255_617],
    ];
    expect(await idsAndTimes(await aFile('BTCUSDT-aggTrades-a.csv', text))).toEqual(expected);
    expect(await idsAndTimes(await aFile('BTCUSDT-aggTrades-a.csv.gz', gzipSync(text)))).toEqual(expected);
    const zip = zipOf({ 'BTCUSDT-aggTrades-a.csv': text });
    expect(await idsAndTimes(await aFile('BTCUSDT-aggTrades-a.zip', zip))).toEqual(expected);
  });

  it('leaves a header out and floors microseconds', async () => {
    const header = 'agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n';
    const file = await aFile('BTCUSDT-aggTrades-us.csv', `${header}${rowOf(7, '1735689600000999', 'true')}`);
    expect(await idsAndTimes(file)).toEqual([[7, 1_735_689_600_000]]);
  });

  it('joins several files in order of id, whatever order they are named in', async () => {
    const second = await aFile('BTCUSDT-aggTrades-2.csv', rowOf(11, 1_723_161_300_000));
    const first = await aFile('BTCUSDT-aggTrades-1.csv', text);
    expect((await idsAndTimes(second, first)).map(([id]) => id)).toEqual([7, 8, 11]);
  });

  it('finds places by id and by time, also between two trades', async () => {
    const tape = (
      await readRecordedTapes([
        join(folder, 'BTCUSDT-aggTrades-1.csv'),
        join(folder, 'BTCUSDT-aggTrades-2.csv'),
      ])
    ).get('BTCUSDT')!;
    expect([0, 7, 8, 9, 11, 12].map((id) => tape.positionOfId(id))).toEqual([0, 0, 1, 2, 2, 3]);
    expect([0, 1_723_161_255_617, 1_723_161_255_618, 2e12].map((time) => tape.positionAt(time))).toEqual([
      0, 1, 2, 3,
    ]);
  });

  it.each([
    ['a broken id', 'x7,1,1,1,1,1723161255342,True,True\n', /line 2: 'x7' is not an id/],
    ['a negative price', '9,-1,1,1,1,1723161255342,True,True\n', /line 2: '-1' is not a price/],
    ['too many decimals', '9,1,0.123456789,1,1,1723161255342,True,True\n', /line 2: .* is not a quantity/],
    [
      'a raw range that runs back',
      '9,1,1,5,4,1723161255342,True,True\n',
      /line 2: '5' to '4' is not a range/,
    ],
    ['a time that is none', '9,1,1,4,4,noon,True,True\n', /line 2: 'noon' is not a time/],
    ['a flag that is none', '9,1,1,4,4,1723161255342,yes,True\n', /line 2: 'yes' is not True or False/],
    ['missing columns', '9,1,1\n', /line 2: 3 columns/],
    ['an id twice', rowOf(7, 1_723_161_255_342), /line 2: id 7 comes after 7/],
    ['a time that runs back', rowOf(8, 1_723_161_255_341), /line 2: time 1723161255341 comes after/],
  ])('refuses %s and names file and line', async (_what, row, expected) => {
    const file = await aFile('BTCUSDT-aggTrades-bad.csv', `${rowOf(7, 1_723_161_255_342)}${row}`);
    await expect(readRecordedTapes([file])).rejects.toThrow(expected);
    await expect(readRecordedTapes([file])).rejects.toThrow(file);
  });

  it('refuses overlapping files, a missing file, an empty one, a broken archive and other names', async () => {
    const first = await aFile('BTCUSDT-aggTrades-1.csv', text);
    const overlap = await aFile('BTCUSDT-aggTrades-3.csv', rowOf(8, 1_723_161_255_617));
    await expect(readRecordedTapes([first, overlap])).rejects.toThrow(/-3\.csv, line 1: overlaps/);
    await expect(readRecordedTapes([join(folder, 'BTCUSDT-aggTrades-none.csv')])).rejects.toThrow(
      /cannot be read.*ENOENT/,
    );
    await expect(readRecordedTapes([await aFile('BTCUSDT-aggTrades-e.csv', '')])).rejects.toThrow(/no trade/);
    await expect(readRecordedTapes([await aFile('BTCUSDT-aggTrades-e.csv.gz', 'no gzip')])).rejects.toThrow(
      /cannot be read/,
    );
    await expect(readRecordedTapes([await aFile('BTCUSDT-aggTrades-e.zip', 'no zip')])).rejects.toThrow(
      /cannot be read/,
    );
    await expect(readRecordedTapes([await aFile('trades.csv', text)])).rejects.toThrow(
      /name of the exchange's archive/,
    );
    await expect(readRecordedTapes([await aFile('BTCUSDT-1m-2024.csv', text)])).rejects.toThrow(
      /holds 1m, not aggTrades/,
    );
  });

  it.each(['csv', 'csv.gz'])('reads back what was written from a generated tape as %s', async (ending) => {
    const options = { symbol: 'ETHUSDT', seed: '7', ratePerSecond: 50, begin: Date.UTC(2024, 0, 1) };
    const file = join(folder, `ETHUSDT-aggTrades-made.${ending}`);
    const written = await writeTape({
      ...options,
      trades: 12_345,
      file,
      signal: AbortSignal.timeout(60_000),
    });
    const tape = (await readRecordedTapes([file])).get('ETHUSDT')!;
    const source = new GeneratedTape(options);
    expect(tape.trades(0, 20_000)).toEqual(source.trades(source.begin, source.begin + 12_345));
    expect(written).toMatchObject({ trades: 12_345, firstId: source.begin, lastId: source.begin + 12_344 });
  });
});

describe('a file of klines', () => {
  const row = '1735689600000000,1,2,0.5,1.5,10,1735689659999999,15.00000001,3,4,6,0\n';

  it('has every field of the archive', async () => {
    const file = await aFile('BTCUSDT-1m-2025-01-01.csv', row);
    expect((await readKlineFiles([file])).get('BTCUSDT')?.get('1m')?.get(1_735_689_600_000)).toMatchObject({
      low: 50_000_000n,
      quoteVolume: 150_000_000_100_000_000n,
      count: 3,
      end: 1_735_689_660_000,
    });
  });

  it('is refused with file and line where a row is not a kline of its interval', async () => {
    const file = await aFile('BTCUSDT-5m-2025-01-01.csv', `${row}${row.replace('1735689600', '1735689660')}`);
    await expect(readKlineFiles([file])).rejects.toThrow(
      /BTCUSDT-5m-2025-01-01\.csv, line 2: not a kline of 5m/,
    );
  });
});
