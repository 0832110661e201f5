import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeRecorded, recorded } from '../support/market-data.js';
import { aPipeline, playTapes, produceAll, type Pipeline, type StandIn } from '../support/pipeline.js';

const symbols = ['BTCUSDT', 'ETHUSDT'];
const tapes = symbols.map((symbol) => recorded('spot_2024-08-08', `${symbol}-aggTrades-2024-08-08.csv.gz`));
const volume = `-- volume: what was traded in a day, by symbol.
-- :day date, the UTC day
SELECT
  CAST(event_timestamp AS DATE) AS day,
  symbol,
  count(*)                      AS trades,
  sum(quantity)                 AS volume,
  max(price)                    AS high_price
FROM clean
WHERE CAST(event_timestamp AS DATE) = :day
GROUP BY CAST(event_timestamp AS DATE), symbol
ORDER BY symbol
`;
const small = ['--driver-memory', '512m', '--executor-memory', '512m', '--timeout', '240'];

describeRecorded('submit sql over the lake of a streaming run', () => {
  let sandbox: StandIn;
  let pipeline: Pipeline;
  let folder: string;
  /** By day and symbol, as PostgreSQL has counted them. */
  let counted: Record<string, unknown>[];

  const sql = async (name: string, text: string, args: readonly string[]): Promise<string> => {
    const file = join(folder, `${name}.sql`);
    await writeFile(file, text);
    return pipeline.run(['submit', 'sql', file, ...small, ...args]);
  };
  /** Path and time of change of every Parquet file below a folder of HDFS. */
  const filesBelow = async (path: string): Promise<string[]> => {
    const entries = await pipeline.app.files.list(path);
    const inner = await Promise.all(
      entries.map((entry) =>
        entry.isFolder ? filesBelow(entry.path) : Promise.resolve([`${entry.path} ${entry.modifiedAt}`]),
      ),
    );
    return inner.flat().filter((file) => file.includes('.parquet '));
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'submit-sql-'));
    sandbox = await playTapes(tapes);
    pipeline = await aPipeline('sql', { exchangeUrl: sandbox.url });
    await produceAll(pipeline, symbols);
    // Every trade of ETHUSDT is in the topic twice, and so in the lake.
    await produceAll(pipeline, ['ETHUSDT']);
    await pipeline.workOff();
    // The tape goes over midnight.
    counted = await pipeline.rows(
      `SELECT (event_timestamp AT TIME ZONE 'UTC')::DATE::TEXT AS day, symbol, count(*)::INTEGER AS trades,
         sum(quantity)::TEXT AS volume, max(price)::TEXT AS high_price
       FROM crypto.crypto_prices_clean GROUP BY 1, 2 ORDER BY 1, 2`,
    );
    expect(counted.map(({ day, symbol }) => [day, symbol])).toEqual(
      ['2024-08-08', '2024-08-09'].flatMap((day) => symbols.map((symbol) => [day, symbol])),
    );
  });
  afterAll(async () => {
    await pipeline.close();
    await sandbox.stop();
    await rm(folder, { recursive: true });
  });

  it('prints rows of the lake, each trade once, with a parameter bound', async () => {
    const csv = await sql('volume', volume, ['-p', 'day=2024-08-08', '--csv']);
    const lines = counted.slice(0, 2).map((row) => Object.values(row).join(','));
    expect(csv.trimEnd().split('\r\n')).toEqual(['day,symbol,trades,volume,high_price', ...lines]);
  });

  it('puts them beside what PostgreSQL holds', async () => {
    const both = `SELECT lake.symbol, lake.trades - bars.trades AS difference
      FROM (SELECT symbol, count(*) AS trades FROM clean GROUP BY symbol) AS lake
      INNER JOIN (SELECT symbol, count(*) AS trades FROM crypto_prices_clean GROUP BY symbol) AS bars
        ON lake.symbol = bars.symbol
      WHERE lake.symbol = :symbol`;
    const { result } = JSON.parse(await sql('both', both, ['-p', 'symbol=ETHUSDT', '--json'])) as {
      result: unknown;
    };
    expect(result).toEqual({
      columns: [
        { name: 'symbol', type: 'string' },
        { name: 'difference', type: 'bigint' },
      ],
      rows: [['ETHUSDT', 0]],
      is_cut: false,
    });
  });

  it('updates a table by its key: twice is as once', async () => {
    const store = [
      '-p',
      'day=2024-08-08',
      '--to',
      'postgres:reports.volume',
      '--key',
      'day,symbol',
      '--wait',
    ];
    const stored = (): Promise<unknown[]> =>
      pipeline.rows(
        'SELECT day::TEXT, symbol, trades::INTEGER, volume::TEXT, high_price::TEXT FROM reports.volume ORDER BY symbol',
      );
    await sql('volume', volume, store);
    expect(await stored()).toEqual(counted.slice(0, 2));
    await pipeline.rows(`UPDATE reports.volume SET trades = 0 WHERE symbol = 'BTCUSDT'`);
    await pipeline.rows(`INSERT INTO reports.volume VALUES ('2020-01-01', 'OTHER', 1, 1, 1)`);
    await sql('volume', volume, store);
    const other = { day: '2020-01-01', symbol: 'OTHER', trades: 1 };
    expect(await stored()).toMatchObject([...counted.slice(0, 2), other]);
  });

  it('replaces its partitions in HDFS and no other', async () => {
    const path = `${pipeline.folder}/reports/volume`;
    const store = ['--to', `hdfs:${path}`, '--partition-by', 'day', '--wait'];
    const files = async (day: string): Promise<string[]> => filesBelow(`${path}/day=${day}`);
    await sql('every-day', volume.replace('CAST(event_timestamp AS DATE) = :day', ':day IS NOT NULL'), [
      ...['-p', 'day=2024-08-08'],
      ...store,
    ]);
    const [first, other] = [await files('2024-08-08'), await files('2024-08-09')];
    await sql('volume', volume, ['-p', 'day=2024-08-08', ...store]);
    expect(await files('2024-08-09')).toEqual(other);
    const second = await files('2024-08-08');
    expect(second).toHaveLength(first.length);
    expect(second).not.toEqual(first);
    const back = await sql(
      'back',
      `SELECT day, symbol, trades, volume, high_price FROM parquet.\`${pipeline.config.hdfs.root}${path}\` ORDER BY day, symbol`,
      ['--csv'],
    );
    const lines = counted.map((row) => Object.values(row).join(','));
    expect(back.trimEnd().split('\r\n').slice(1)).toEqual(lines);
  });
});
