import { afterEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/core/errors.js';
import {
  aGeneratedChoice,
  aSandbox,
  BEGIN,
  get,
  getJson,
  stopSandboxes,
  type Answer,
  type KlineRow,
  type TradeRow,
} from '../support/sandbox.js';

afterEach(stopSandboxes);

const trades = '/api/v3/aggTrades?symbol=BTCUSDT';
const idsOf = (rows: readonly TradeRow[]): number[] => rows.map(({ a }) => a);

describe('the sandbox answers aggTrades', () => {
  it('from an id on, that id first, without gaps, and pages to the next', async () => {
    const { url } = await aSandbox();
    const [oldest] = await getJson<TradeRow[]>(url, `${trades}&startTime=${BEGIN}&limit=1`);
    const page = await getJson<TradeRow[]>(url, `${trades}&fromId=${oldest!.a + 10}&limit=1000`);
    expect(idsOf(page)).toEqual(Array.from({ length: 1000 }, (_, index) => oldest!.a + 10 + index));
    const next = await getJson<TradeRow[]>(url, `${trades}&fromId=${page.at(-1)!.a + 1}&limit=1`);
    expect(next[0]?.f).toBe(page.at(-1)!.l + 1);
  });

  it('begins with the oldest where the id is older than the tape', async () => {
    const { url } = await aSandbox();
    const [oldest] = await getJson<TradeRow[]>(url, `${trades}&fromId=0&limit=1`);
    expect(oldest!.T).toBeGreaterThanOrEqual(BEGIN);
    expect((await getJson<TradeRow[]>(url, `${trades}&startTime=${BEGIN}&limit=1`))[0]).toEqual(oldest);
  });

  it('by time: both ends included, oldest first; only an end gives the newest up to it', async () => {
    const { url } = await aSandbox();
    const rows = await getJson<TradeRow[]>(url, `${trades}&startTime=${BEGIN}&limit=100`);
    const [from, to] = [rows[10]!.T, rows[50]!.T];
    const inside = idsOf(rows.filter(({ T }) => T >= from && T <= to));
    const range = `startTime=${from}&endTime=${to}`;
    expect(idsOf(await getJson(url, `${trades}&${range}`))).toEqual(inside);
    expect(idsOf(await getJson(url, `${trades}&${range}&limit=3`))).toEqual(inside.slice(0, 3));
    expect(idsOf(await getJson(url, `${trades}&endTime=${to}&limit=3`))).toEqual(inside.slice(-3));
    // Assumed: the exchange does not say what a range that runs back gives.
    expect(await getJson(url, `${trades}&startTime=${to}&endTime=${from}`)).toEqual([]);
  });

  it('500 without a limit, and 1000 for a limit above (assumed: the exchange does not say)', async () => {
    const { url } = await aSandbox();
    expect(await getJson<TradeRow[]>(url, trades)).toHaveLength(500);
    expect(await getJson<TradeRow[]>(url, `${trades}&limit=5000`)).toHaveLength(1000);
  });

  it('only what has happened: the newest is not ahead of the clock, and what is ahead is empty', async () => {
    const { url } = await aSandbox();
    const newest = (await getJson<TradeRow[]>(url, `${trades}&limit=1`))[0]!;
    const { serverTime } = await getJson<{ serverTime: number }>(url, '/api/v3/time');
    expect(newest.T).toBeLessThanOrEqual(serverTime);
    expect(await get(url, `${trades}&fromId=${newest.a + 1_000_000}`)).toMatchObject({
      status: 200,
      text: '[]',
    });
  });

  it('in microseconds where the header asks for them', async () => {
    const { url } = await aSandbox();
    const query = `${trades}&fromId=0&limit=1`;
    const [inMs] = await getJson<TradeRow[]>(url, query);
    const [inUs] = await getJson<TradeRow[]>(url, query, { 'X-MBX-TIME-UNIT': 'microsecond' });
    expect(inUs!.T).toBe(inMs!.T * 1000);
    const byUs = await getJson<TradeRow[]>(url, `${trades}&startTime=${inUs!.T}&limit=1`);
    expect(byUs).toEqual([inMs]);
  });
});

describe('the sandbox answers klines', () => {
  it('that are the sums of its own trades', async () => {
    const { url } = await aSandbox({ tape: aGeneratedChoice({ ratePerSecond: 1 }) });
    const bars = await getJson<KlineRow[]>(
      url,
      `/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=${BEGIN}&limit=10`,
    );
    expect(bars.map(([open]) => open)).toEqual(
      Array.from({ length: 10 }, (_, minute) => BEGIN + minute * 60_000),
    );
    for (const [open, first, high, low, last, volume, close, quote, count] of bars) {
      const rows = await getJson<TradeRow[]>(url, `${trades}&startTime=${open}&endTime=${close}&limit=1000`);
      if (rows.length === 0) {
        expect([volume, quote, count]).toEqual(['0.00000000', '0.00000000', 0]);
        continue;
      }
      const prices = rows.map(({ p }) => Number(p));
      expect([first, last]).toEqual([rows[0]!.p, rows.at(-1)!.p]);
      expect([Number(high), Number(low)]).toEqual([Math.max(...prices), Math.min(...prices)]);
      expect(count).toBe(rows.reduce((sum, { f, l }) => sum + l - f + 1, 0));
      expect(Number(volume)).toBeCloseTo(
        rows.reduce((sum, { q }) => sum + Number(q), 0),
        8,
      );
    }
  });

  it('with the open one last, and closing a microsecond early in microseconds', async () => {
    const { url } = await aSandbox();
    const path = '/api/v3/klines?symbol=BTCUSDT&interval=1h&limit=1';
    const [bar] = await getJson<KlineRow[]>(url, path, { 'X-MBX-TIME-UNIT': 'MICROSECOND' });
    expect(bar![6] - bar![0]).toBe(3_600_000_000 - 1);
    expect(bar![6]).toBeGreaterThan(Date.now() * 1000);
  });
});

describe('the sandbox answers', () => {
  it.each([
    ['/api/v3/aggTrades', -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."],
    ['/api/v3/aggTrades?symbol=', -1105, "Parameter 'symbol' was empty."],
    ['/api/v3/aggTrades?symbol=NONE', -1121, 'Invalid symbol.'],
    [
      '/api/v3/aggTrades?symbol=btcusdt',
      -1100,
      // Symbols of other alphabets are listed since 2025.
      String.raw`Illegal characters found in parameter 'symbol'; legal range is '^(?![^",]*[a-z])[\p{L}\p{M}\p{N}._-]{1,50}$'.`,
    ],
    [
      `${trades}&startTime=noon`,
      -1100,
      "Illegal characters found in parameter 'startTime'; legal range is '^[0-9]{1,20}$'.",
    ],
    [`${trades}&fromId=1&startTime=1`, -1128, 'Combination of optional parameters invalid.'],
    [`${trades}&limit=0`, -1130, "Data sent for parameter 'limit' is not valid."],
    [
      `${trades}&colour=red`,
      -1104,
      "Not all sent parameters were read; read '1' parameter(s) but was sent '2'.",
    ],
    [`${trades}&symbol=BTCUSDT`, -1101, 'Duplicate values for a parameter detected.'],
    ['/api/v3/time?x=1', -1101, "Too many parameters; expected '0' and received '1'."],
    ['/api/v3/klines?symbol=BTCUSDT&interval=2m', -1120, 'Invalid interval.'],
    [
      '/api/v3/klines?symbol=BTCUSDT',
      -1102,
      "Mandatory parameter 'interval' was not sent, was empty/null, or malformed.",
    ],
    [
      '/api/v3/exchangeInfo?symbols=["BTCUSDT","BTCUSDT"]',
      -1151,
      'Symbol is present multiple times in the list.',
    ],
    ['/api/v3/ticker/price?symbol=NONE', -1121, 'Invalid symbol.'],
  ])('%s with code %i', async (path, code, msg) => {
    const { url } = await aSandbox();
    const { status, text } = await get(url, path);
    expect({ status, body: JSON.parse(text) as unknown }).toEqual({ status: 400, body: { code, msg } });
  });

  it('a bad time unit with code -1194, another path with 404', async () => {
    const { url } = await aSandbox();
    const { text } = await get(url, '/api/v3/time', { 'X-MBX-TIME-UNIT': 'HOUR' });
    expect(JSON.parse(text)).toMatchObject({ code: -1194 });
    expect((await get(url, '/api/v3/depth?symbol=BTCUSDT')).status).toBe(404);
  });

  it('ticker/price for one symbol as an object, for more as a list', async () => {
    const { url } = await aSandbox({ tape: aGeneratedChoice({ symbols: ['ETHUSDT', 'BTCUSDT'] }) });
    const path = '/api/v3/ticker/price';
    expect(await getJson(url, `${path}?symbol=ETHUSDT`)).toMatchObject({ symbol: 'ETHUSDT' });
    expect(await getJson(url, `${path}?symbols=["ETHUSDT"]`)).toMatchObject([{ symbol: 'ETHUSDT' }]);
    expect(await getJson(url, path)).toMatchObject([{ symbol: 'BTCUSDT' }, { symbol: 'ETHUSDT' }]);
  });

  it('the same after a restart and with a later begin', async () => {
    const path = `${trades}&startTime=${BEGIN + 60_000}&limit=1000`;
    const first = await get((await aSandbox()).url, path);
    const later = aGeneratedChoice({ begin: { time: BEGIN + 60_000 } });
    expect((await get((await aSandbox()).url, path)).text).toBe(first.text);
    expect((await get((await aSandbox({ tape: later })).url, path)).text).toBe(first.text);
  });

  it('from so many minutes of history on', async () => {
    const { url } = await aSandbox({ tape: aGeneratedChoice({ begin: { historyMinutes: 15 } }) });
    const [oldest] = await getJson<KlineRow[]>(url, '/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=0');
    const age = Date.now() - oldest![0];
    expect(age).toBeGreaterThan(13 * 60_000);
    expect(age).toBeLessThan(17 * 60_000);
  });
});

describe('the sandbox', () => {
  it('keeps an idle connection longer than the pause between two polls', async () => {
    const { url } = await aSandbox();
    const { headers } = await get(url, '/api/v3/ping', { connection: 'keep-alive' });
    expect(headers['keep-alive']).toBe('timeout=75');
  });

  it('counts request weight as the exchange does and says so in its headers', async () => {
    const { url } = await aSandbox({ hasRequestLimit: false });
    const weightOf = async (path: string): Promise<number> => {
      const before = Number((await get(url, '/api/v3/ping')).headers['x-mbx-used-weight-1m']);
      const { headers } = await get(url, path);
      expect(headers['x-mbx-used-weight']).toBe(headers['x-mbx-used-weight-1m']);
      const used = Number(headers['x-mbx-used-weight-1m']);
      // A new minute has begun in between: ask again.
      return used < before ? weightOf(path) : used - before;
    };
    const weights = {
      '/api/v3/time': 1,
      '/api/v3/exchangeInfo': 20,
      '/api/v3/ticker/price': 4,
      '/api/v3/ticker/price?symbol=BTCUSDT': 2,
      [trades]: 4,
      '/api/v3/klines?symbol=BTCUSDT&interval=1m': 2,
    };
    for (const [path, weight] of Object.entries(weights)) expect(await weightOf(path), path).toBe(weight);
  });

  it('answers 429 with Retry-After when the weight of the minute is used up, and not when that is lifted', async () => {
    const { url } = await aSandbox();
    // 301 fit into no minute; twice as many, should a minute end in between.
    const first = await firstRefusal(url, 602);
    expect(first?.status).toBe(429);
    expect(Number(first?.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(Number(first?.headers['retry-after'])).toBeLessThanOrEqual(60);
    expect(JSON.parse(first!.text)).toMatchObject({ code: -1003 });
    const lifted = await aSandbox({ hasRequestLimit: false });
    expect(await firstRefusal(lifted.url, 602)).toBeUndefined();
  });

  async function firstRefusal(url: string, calls: number): Promise<Answer | undefined> {
    for (let call = 0; call < calls; call += 1) {
      const answer = await get(url, '/api/v3/exchangeInfo');
      if (answer.status !== 200) return answer;
    }
    return undefined;
  }

  const ask = (url: string, fault: unknown): Promise<Response> =>
    fetch(`${url}/sandbox/faults`, { method: 'POST', body: JSON.stringify(fault) });

  it.each([
    [429, '2', -1003],
    [418, '2', -1003],
    [451, undefined, 0],
    [500, undefined, -1000],
    [503, undefined, -1008],
  ])('answers %i on request, so many times, then the data again', async (status, retryAfter, code) => {
    const { url } = await aSandbox();
    await ask(url, { status, count: 2, ...(retryAfter === undefined ? {} : { retryAfterSeconds: 2 }) });
    const answers = [await get(url, '/api/v3/time'), await get(url, '/api/v3/time')];
    for (const answer of answers) {
      expect(answer.status).toBe(status);
      expect(answer.headers['retry-after']).toBe(retryAfter);
      expect(JSON.parse(answer.text)).toMatchObject({ code });
    }
    expect((await get(url, '/api/v3/time')).status).toBe(200);
  });

  it('pretty-prints the 451 of a restricted location', async () => {
    const { url } = await aSandbox();
    await ask(url, { status: 451 });
    expect((await get(url, '/api/v3/time')).text).toMatch(
      /^\{\n {2}"code": 0,\n {2}"msg": "Service unavailable/,
    );
  });

  it('answers late, cuts the connection, or spares other paths, as asked', async () => {
    const { url } = await aSandbox();
    await ask(url, { delayMs: 150 });
    const start = performance.now();
    expect((await get(url, '/api/v3/time')).status).toBe(200);
    expect(performance.now() - start).toBeGreaterThanOrEqual(140);
    await ask(url, { drop: true, path: '/api/v3/ping' });
    expect((await get(url, '/api/v3/time')).status).toBe(200);
    await expect(get(url, '/api/v3/ping')).rejects.toThrow(/hang up|reset/);
  });

  it('takes faults back, lists them, and refuses what it does not know', async () => {
    const { url } = await aSandbox();
    await ask(url, { status: 500, count: 5 });
    expect(await getJson(url, '/sandbox/faults')).toEqual([{ status: 500, count: 5 }]);
    await fetch(`${url}/sandbox/faults`, { method: 'DELETE' });
    expect((await get(url, '/api/v3/time')).status).toBe(200);
    expect((await ask(url, { status: 200 })).status).toBe(400);
    expect((await ask(url, { status: 500, delayMs: 5 })).status).toBe(400);
  });

  it('says that its port is taken', async () => {
    const { url } = await aSandbox();
    const second = aSandbox({ port: Number(new URL(url).port) });
    await expect(second).rejects.toThrow(ConfigError);
    await expect(second).rejects.toThrow(/is taken/);
  });

  it('closes although a client keeps its connection and another waits for a late answer', async () => {
    const running = await aSandbox();
    const kept = await fetch(`${running.url}/api/v3/time`);
    await kept.text();
    await ask(running.url, { delayMs: 60_000 });
    const late = get(running.url, '/api/v3/time').catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await running.close();
    expect(await late).toBeInstanceOf(Error);
  });
});
