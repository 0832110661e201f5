import { readFileSync } from 'node:fs';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, expect, it } from 'vitest';
import { describeRecorded, recorded } from '../support/market-data.js';
import { aSandbox, get, getJson, stopSandboxes, type KlineRow, type TradeRow } from '../support/sandbox.js';

afterEach(stopSandboxes);

const FOLDER = 'spot_2024-08-08';
const tapeFiles = ['BTCUSDT', 'ETHUSDT'].map((symbol) =>
  recorded(FOLDER, `${symbol}-aggTrades-2024-08-08.csv.gz`),
);
const allAtOnce = { tape: { kind: 'recorded', files: tapeFiles, speed: 'all-at-once' } } as const;
/** The first and the last whole minute of the tape. */
const [FIRST, LAST] = [Date.UTC(2024, 7, 8, 23, 55), Date.UTC(2024, 7, 9, 0, 4)];

const rowsOf = (file: string): string[][] =>
  (file.endsWith('.gz') ? gunzipSync(readFileSync(file)) : readFileSync(file))
    .toString('utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(','));
const recordedAnswer = (name: string): unknown => {
  const bytes = readFileSync(recorded('api_answers', name));
  return JSON.parse((name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8'));
};

describeRecorded('over the recorded tape the sandbox answers', () => {
  it.each(['BTCUSDT', 'ETHUSDT'])("the exchange's own 1-minute klines, 10 of 10 of %s", async (symbol) => {
    const { url } = await aSandbox(allAtOnce);
    const ours = await getJson<KlineRow[]>(
      url,
      `/api/v3/klines?symbol=${symbol}&interval=1m&startTime=${FIRST}&endTime=${LAST}`,
    );
    const theirs = rowsOf(recorded(FOLDER, `klines_1m_${symbol}_2024-08-08_09.csv`)).filter(
      ([open]) => Number(open) >= FIRST && Number(open) <= LAST,
    );
    expect(theirs).toHaveLength(10);
    expect(ours.map((bar) => bar.slice(0, 6).map(Number))).toEqual(theirs.map((bar) => bar.map(Number)));
  });

  it("the exchange's own 5-minute klines, all twelve columns as text, 2 of 2", async () => {
    const { url } = await aSandbox(allAtOnce);
    const ours = await getJson<KlineRow[]>(
      url,
      `/api/v3/klines?symbol=BTCUSDT&interval=5m&startTime=${FIRST}&endTime=${LAST}`,
    );
    const theirs = rowsOf(recorded(FOLDER, 'klines_5m_BTCUSDT_2024-08-08_09.csv')).filter(
      ([open]) => Number(open) >= FIRST && Number(open) <= LAST,
    );
    expect(theirs).toHaveLength(2);
    expect(ours.map((bar) => bar.map(String))).toEqual(theirs);
  });

  it('every trade of the file once, paged by id', async () => {
    const { url } = await aSandbox(allAtOnce);
    const rows: TradeRow[] = [];
    for (let next = 0; ; next = rows.at(-1)!.a + 1) {
      const page = await getJson<TradeRow[]>(
        url,
        `/api/v3/aggTrades?symbol=BTCUSDT&fromId=${next}&limit=1000`,
      );
      if (page.length === 0) break;
      rows.push(...page);
    }
    const asText = rows.map(({ a, p, q, f, l, T, m, M }) => [a, p, q, f, l, T, m, M].map(String));
    const inFile = rowsOf(tapeFiles[0]!).map((row) =>
      row.map((text) => text.replace(/^[TF]/, (c) => c.toLowerCase())),
    );
    expect(asText).toEqual(inFile);
  });

  it('klines of a published file in place of its own, where one is given', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cryptopipe-klines-'));
    const file = join(folder, 'BTCUSDT-5m-2024-08-08.csv');
    await copyFile(recorded(FOLDER, 'klines_5m_BTCUSDT_2024-08-08_09.csv'), file);
    const { url } = await aSandbox({ ...allAtOnce, klineFiles: [file] });
    await rm(folder, { recursive: true });
    const ours = await getJson<KlineRow[]>(url, '/api/v3/klines?symbol=BTCUSDT&interval=5m&limit=1000');
    const theirs = rowsOf(recorded(FOLDER, 'klines_5m_BTCUSDT_2024-08-08_09.csv')).filter(
      ([, , , , , , close]) => Number(close) <= LAST + 60_000,
    );
    expect(ours.slice(0, -1).map((bar) => bar.map(String))).toEqual(theirs);
  });

  it('only the trades that its clock has reached, at their own times, faster as asked', async () => {
    const { url } = await aSandbox({ tape: { ...allAtOnce.tape, speed: 100 } });
    const path = '/api/v3/aggTrades?symbol=BTCUSDT&limit=1000';
    const first = Number(rowsOf(tapeFiles[0]!)[0]![5]);
    const times: number[] = [];
    while (times.length < 3) {
      const newest = (await getJson<TradeRow[]>(url, path)).at(-1)!.T;
      const { serverTime } = await getJson<{ serverTime: number }>(url, '/api/v3/time');
      expect(newest).toBeLessThanOrEqual(serverTime);
      times.push(serverTime - first);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(times[0]).toBeLessThan(60_000);
    expect(times[2]! - times[0]!).toBeGreaterThanOrEqual(19_000);
  });
});

/** Names and types all the way down; amounts as their number of decimals. Order of names is not in the recordings. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf);
  if (typeof value === 'string')
    return /^\d+\.\d+$/.test(value) ? `decimals ${value.split('.')[1]!.length}` : 'text';
  if (typeof value !== 'object' || value === null) return typeof value;
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([name, inner]) => [name, shapeOf(inner)]));
}

describeRecorded('the sandbox answers in the shape that was recorded', () => {
  it('aggTrades', async () => {
    const theirs = recordedAnswer('aggTrades_BTCUSDT_fromId202790190_limit1000.json.gz') as TradeRow[];
    const { url } = await aSandbox(allAtOnce);
    const path = '/api/v3/aggTrades?symbol=BTCUSDT&fromId=3100000001&limit=1000';
    const ours = await getJson<TradeRow[]>(url, path);
    expect(shapeOf(ours)).toEqual(shapeOf(theirs));
    const { text } = await get(url, path);
    expect(text).toMatch(
      /^\[\{"a":\d+,"p":"[\d.]+","q":"[\d.]+","f":\d+,"l":\d+,"T":\d+,"m":(true|false),"M":true\},\{/,
    );
  });

  it('klines, chosen by their open time', async () => {
    const [start, end] = [1588740088000, 1588743688000];
    const theirs = recordedAnswer(`klines_BTCUSDT_1m_startTime${start}_endTime${end}.json`) as KlineRow[];
    const { url } = await aSandbox({
      tape: {
        kind: 'generated',
        symbols: ['BTCUSDT'],
        seed: '1',
        ratePerSecond: 1,
        begin: { time: start - 7_200_000 },
      },
    });
    const ours = await getJson<KlineRow[]>(
      url,
      `/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=${start}&endTime=${end}`,
    );
    expect(shapeOf(ours)).toEqual(shapeOf(theirs));
    expect(ours.map(([open, , , , , , close]) => [open, close])).toEqual(
      theirs.map(([open, , , , , , close]) => [open, close]),
    );
  });

  it('ticker/price', async () => {
    const { url } = await aSandbox();
    const ours = await getJson(url, '/api/v3/ticker/price?symbol=BTCUSDT');
    expect(shapeOf(ours)).toEqual(shapeOf(recordedAnswer('tickerPrice_BTCUSDT.json')));
  });

  it('exchangeInfo, with two names that came later than the recording', async () => {
    const theirs = recordedAnswer('exchangeInfo_BTCUSDT_ETHUSDT_BNBBTC.json') as {
      symbols: Record<string, unknown>[];
    };
    const { url } = await aSandbox(allAtOnce);
    const ours = await getJson<typeof theirs>(url, '/api/v3/exchangeInfo?symbols=["BTCUSDT","ETHUSDT"]');
    const ofBitcoin = (info: typeof theirs): Record<string, unknown> => {
      const symbol = info.symbols.find((one) => one['symbol'] === 'BTCUSDT')!;
      const others = ['opoAllowed', 'pegInstructionsAllowed', 'permissionSets'];
      return Object.fromEntries(Object.entries(symbol).filter(([name]) => !others.includes(name)));
    };
    expect(shapeOf(ofBitcoin(ours))).toEqual(shapeOf(ofBitcoin(theirs)));
    expect(shapeOf({ ...ours, symbols: [] })).toEqual(shapeOf({ ...theirs, symbols: [] }));
    const filters = (info: typeof theirs): unknown[] => (ofBitcoin(info)['filters'] as unknown[]).slice(0, 2);
    expect(filters(ours)).toEqual(filters(theirs));
  });
});
