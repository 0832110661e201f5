import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { archiveTrades } from '../../../src/adapters/archive-trades.js';
import { dailyArchivePath } from '../../../src/adapters/binance-archive-file.js';
import type { Tick } from '../../../src/core/tick.js';
import type { TradeRow } from '../../../src/core/trade-row.js';
import { archiveFolder, type ArchiveFolder } from '../../support/archive-folder.js';
import { describeRecorded, readRecordedCsv } from '../../support/market-data.js';
import { standIn, type Handler } from '../../support/rest-stand-in.js';

const day = Date.UTC(2024, 7, 8);
const path = dailyArchivePath('aggTrades', 'BTCUSDT', '2024-08-08');
const header =
  'agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker,is_best_match\n';
const row = '7,60000.10000000,0.00100000,10,12,1723075200123,True,True';

let folder: ArchiveFolder;
beforeEach(() => {
  folder = archiveFolder();
});
afterEach(() => rmSync(folder.folder, { recursive: true }));

async function read(url = folder.url, symbol = 'BTCUSDT'): Promise<Tick[]> {
  return (await readRows(url, symbol)).flatMap(({ tick }) => tick ?? []);
}

async function readRows(url = folder.url, symbol = 'BTCUSDT'): Promise<TradeRow[]> {
  const file = await archiveTrades({ url }).openDay(symbol, day);
  if (file === undefined) throw new Error('there is no file');
  const rows: TradeRow[] = [];
  try {
    for await (const page of file.rows()) rows.push(...page);
  } finally {
    await file.close();
  }
  return rows;
}

const tick: Tick = {
  source: 'binance-spot',
  symbol: 'BTCUSDT',
  aggTradeId: 7,
  firstTradeId: 10,
  lastTradeId: 12,
  price: '60000.10000000',
  quantity: '0.00100000',
  eventTime: 1_723_075_200_123,
  buyerIsMaker: true,
};

describe('a row of the archive', () => {
  it.each([
    ['in ms', row],
    ['in µs, floored', row.replace('1723075200123', '1723075200123999')],
    ['with a header before it', header + row],
    ['without the best match', row.replace(/,True$/, '')],
    ['in small letters', row.replaceAll('True', 'true')],
  ])('is a trade: %s', async (_what, csv) => {
    folder.add(path, `${csv}\n`);
    expect(await read()).toEqual([tick]);
  });

  it('says who was maker', async () => {
    folder.add(path, `${row.replace('True,', 'False,')}\n`);
    expect(await read()).toEqual([{ ...tick, buyerIsMaker: false }]);
  });

  it('may be neutralised', async () => {
    folder.add(path, '7,0,0,-1,-1,1723075200123,False,True\n');
    expect(await read()).toMatchObject([{ price: '0', quantity: '0', firstTradeId: -1, lastTradeId: -1 }]);
  });

  it.each([
    ['too few columns', '8,1,2,3', 'it has 4 columns, not 8'],
    ['too many columns', `${row},1`, 'it has 9 columns, not 8'],
    ['an empty line', '', 'it has 1 columns, not 8'],
    ['no id', row.replace('7,', ','), 'its id `a` is not a whole number'],
    ['a price that is none', row.replace('60000.1', '6e4'), 'its price `p` is not a decimal text'],
    ['a time that is none', row.replace('1723075200123', 'now'), 'its time `T` is not in milliseconds'],
    ['no maker', row.replace('True,', '1,'), 'its flag `m` is not true or false'],
  ])(
    'comes with its line, its reason and its text where it has %s; the others are read',
    async (_what, bad, reason) => {
      folder.add(path, `${header}${row}\n${bad}\n${row}\n`);
      const rows = await readRows();
      expect(rows.map(({ tick: read }) => read?.aggTradeId)).toEqual([7, undefined, 7]);
      expect(rows[1]).toMatchObject({
        raw: bad,
        reason: expect.stringMatching(
          new RegExp(`^line 3 of .*BTCUSDT-aggTrades-2024-08-08\\.zip: ${reason.replace(/[`.*]/g, '.')}`),
        ) as string,
      });
    },
  );

  it('is no fault of a row where a hundred in succession cannot be read: the file is of another form', async () => {
    folder.add(path, `${row}\n${'1;2;3\n'.repeat(150)}`);
    await expect(read()).rejects.toMatchObject({
      exitCode: 5,
      message: expect.stringMatching(
        /2024-08-08\.zip: the 100 rows up to line 101 are no trades: it has 1 columns, not 8$/,
      ) as string,
    });
  });
});

describe('a file of the archive', () => {
  it('is undefined where there is none', async () => {
    expect(await archiveTrades({ url: folder.url }).openDay('BTCUSDT', day)).toBeUndefined();
  });

  it('gives no trade where it has none', async () => {
    folder.add(path, '');
    expect(await read()).toEqual([]);
  });

  it('that is cut off is named, although its checksum is right', async () => {
    folder.add(path, `${row}\n`.repeat(1000));
    const cut = readFileSync(join(folder.folder, path)).subarray(0, 5000);
    writeFileSync(join(folder.folder, path), cut);
    writeFileSync(
      join(folder.folder, `${path}.CHECKSUM`),
      `${createHash('sha256').update(cut).digest('hex')}  x\n`,
    );
    await expect(read()).rejects.toMatchObject({
      exitCode: 5,
      message: expect.stringContaining('BTCUSDT-aggTrades-2024-08-08.zip cannot be read at line 1') as string,
    });
  });

  it('with a wrong checksum is taken once more, then refused with both checksums', async () => {
    folder.add(path, `${row}\n`, `${'0'.repeat(64)}  x\n`);
    const wrong = readFileSync(join(folder.folder, `${path}.CHECKSUM`));
    folder.add(path, `${row}\n`);
    let wrongAnswers = 1;
    const serve: Handler = (_request, response, url) => {
      const file = join(folder.folder, url.pathname);
      if (url.pathname.endsWith('.CHECKSUM') && wrongAnswers-- > 0) response.end(wrong);
      else if (existsSync(file)) createReadStream(file).pipe(response);
      else response.writeHead(404).end();
    };
    const server = await standIn(serve);
    try {
      expect(await read(server.url)).toEqual([tick]);
      wrongAnswers = 2;
      await expect(read(server.url)).rejects.toMatchObject({
        exitCode: 5,
        message: expect.stringMatching(
          /2024-08-08\.zip has the SHA-256 [0-9a-f]{64}; .* says 0{64}$/,
        ) as string,
      });
      expect(server.requests.filter((request) => request.endsWith('.zip'))).toHaveLength(4);
    } finally {
      await server.close();
    }
  });
});

describeRecorded('the recorded trades', () => {
  it('come out as they were recorded', async () => {
    const cells = readRecordedCsv('spot_2024-08-08/ETHUSDT-aggTrades-2024-08-08.csv.gz');
    folder.add(
      dailyArchivePath('aggTrades', 'ETHUSDT', '2024-08-08'),
      `${cells.map((line) => line.join(',')).join('\n')}\n`,
    );
    const ticks = await read(folder.url, 'ETHUSDT');
    expect(ticks).toHaveLength(7396);
    expect(
      ticks.map((one) =>
        [one.aggTradeId, one.price, one.quantity, one.firstTradeId, one.lastTradeId, one.eventTime].map(
          String,
        ),
      ),
    ).toEqual(cells.map((line) => line.slice(0, 6)));
  });
});
