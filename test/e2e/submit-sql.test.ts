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
  /** By symbol, as PostgreSQL has counted them. */
  let counted: Record<string, unknown>[];

  const sql = async (name: string, text: string, args: readonly string[]): Promise<string> => {
    const file = join(folder, `${name}.sql`);
    await writeFile(file, text);
    return pipeline.run(['submit', 'sql', file, ...small, ...args]);
  };
  /** Path and time of change of every file below a folder of HDFS. */
  const filesBelow = async (path: string): Promise<string[]> => {
    const entries = await pipeline.app.files.list(path);
    const inner = await Promise.all(
      entries.map((entry) =>
        entry.isFolder
          ? filesBelow(entry.path)
          : Promise.resolve([`${entry.path.slice(path.length)} ${entry.modifiedAt}`]),
      ),
    );
    return inner.flat();
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'submit-sql-'));
    sandbox = await playTapes(tapes);
    pipeline = await aPipeline('sql', { exchangeUrl: sandbox.url });
    await produceAll(pipeline, symbols);
    // Every trade of ETHUSDT is in the topic twice, and so in the lake.
    await produceAll(pipeline, ['ETHUSDT']);
    await pipeline.workOff();
    counted = await pipeline.rows(
      `SELECT '2024-08-08' AS day, symbol, count(*)::INTEGER AS trades, sum(quantity)::TEXT AS volume, max(price)::TEXT AS high_price
       FROM crypto.crypto_prices_clean GROUP BY symbol ORDER BY symbol`,
    );
  });
  afterAll(async () => {
    await pipeline.close();
    await sandbox.stop();
    await rm(folder, { recursive: true });
  });

  it('prints rows of the lake, each trade once, with a parameter bound', async () => {
    const csv = await sql('volume', volume, ['-p', 'day=2024-08-08', '--csv']);
    expect(counted.length).toBe(2);
    const lines = counted.map((row) => Object.values(row).join(','));
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
    expect(await stored()).toEqual(counted);
    await pipeline.rows(`UPDATE reports.volume SET trades = 0 WHERE symbol = 'BTCUSDT'`);
    await pipeline.rows(`INSERT INTO reports.volume VALUES ('2020-01-01', 'OTHER', 1, 1, 1)`);
    await sql('volume', volume, store);
    const other = { day: '2020-01-01', symbol: 'OTHER', trades: 1 };
    expect(await stored()).toMatchObject([...counted, other]);
  });

  it('replaces its partitions in HDFS and no other', async () => {
    const path = `${pipeline.folder}/reports/volume`;
    const store = ['--to', `hdfs:${path}`, '--partition-by', 'day', '--wait'];
    await sql('made', `SELECT DATE'2020-01-01' AS day, 'OTHER' AS symbol, 1 AS trades`, store);
    const [other] = (await filesBelow(path)).filter((file) => file.startsWith('/day=2020-01-01/'));
    for (let time = 0; time < 2; time += 1) await sql('volume', volume, ['-p', 'day=2024-08-08', ...store]);
    const files = (await filesBelow(path)).filter((file) => file.includes('.parquet '));
    expect(files.filter((file) => file.startsWith('/day=2020-01-01/'))).toEqual([other]);
    // One file: the first writing's is gone.
    expect(files.filter((file) => file.startsWith('/day=2024-08-08/'))).toHaveLength(1);
    expect(files).toHaveLength(2);
  });
});
