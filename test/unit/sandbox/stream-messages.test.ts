import { describe, expect, it } from 'vitest';
import { aggTradePayload, shutdownPayload, wrapped } from '../../../src/sandbox/stream/messages.js';
import { RollingLimit } from '../../../src/sandbox/stream/rolling-limit.js';
import { parseTarget, tradedSymbol } from '../../../src/sandbox/stream/stream-names.js';
import type { TapeTrade } from '../../../src/sandbox/tapes/tape.js';

/** A message of wss://stream.binance.com on 2021-10-12, and the trade in it. */
const recorded =
  '{"stream":"nknusdt@aggTrade","data":{"e":"aggTrade","E":1633998523963,"s":"NKNUSDT","a":15683430,"p":"0.35280000","q":"58.00000000","f":19862790,"l":19862790,"T":1633998523963,"m":false,"M":true}}';
const trade: TapeTrade = {
  id: 15_683_430,
  price: 35_280_000n,
  quantity: 5_800_000_000n,
  firstTradeId: 19_862_790,
  lastTradeId: 19_862_790,
  time: 1_633_998_523_963,
  buyerIsMaker: false,
  isBestMatch: true,
};
const target = (address: string): ReturnType<typeof parseTarget> =>
  parseTarget(new URL(address, 'ws://sandbox'));

describe('a message of the sandbox', () => {
  it('is the recorded one, byte by byte', () => {
    const payload = aggTradePayload('NKNUSDT', trade, { eventTime: trade.time, scale: 1 });
    expect(wrapped('nknusdt@aggTrade', payload)).toBe(recorded);
  });

  it('has times in microseconds, and no amounts where the row is neutralised', () => {
    const none = { firstTradeId: -1, lastTradeId: -1, price: 0n, quantity: 0n };
    expect(
      aggTradePayload('NKNUSDT', { ...trade, ...none }, { eventTime: 1_633_998_523_970, scale: 1000 }),
    ).toBe(
      '{"e":"aggTrade","E":1633998523970000,"s":"NKNUSDT","a":15683430,"p":"0","q":"0","f":-1,"l":-1,"T":1633998523963000,"m":false,"M":true}',
    );
  });

  it('announces a shutdown', () => {
    expect(shutdownPayload(1_633_998_523_970, 1)).toBe('{"e":"serverShutdown","E":1633998523970}');
  });
});

describe('the address of a stream', () => {
  it.each([
    ['/ws', [], false],
    ['/ws/btcusdt@aggTrade', ['btcusdt@aggTrade'], false],
    ['/ws/btcusdt@aggTrade/ethusdt@aggTrade', ['btcusdt@aggTrade', 'ethusdt@aggTrade'], false],
    ['/stream', [], true],
    ['/stream?streams=a@aggTrade/b@aggTrade/a@aggTrade', ['a@aggTrade', 'b@aggTrade'], true],
    ['/stream?streams=a%40aggTrade%2Fb@aggTrade', ['a@aggTrade', 'b@aggTrade'], true],
  ])('%s', (address, streams, isCombined) => {
    expect(target(address)).toEqual({ streams, isCombined, scale: 1 });
  });

  it.each(['MICROSECOND', 'microsecond'])('takes the time unit %s', (unit) => {
    expect(target(`/ws/a@aggTrade?timeUnit=${unit}`)?.scale).toBe(1000);
    expect(target(`/stream?streams=a@aggTrade&timeUnit=${unit}`)?.scale).toBe(1000);
  });

  it.each(['/', '/stream/a@aggTrade', '/wss', '/ws?timeUnit=HOUR'])('is not %s', (address) => {
    expect(target(address)).toBeUndefined();
  });

  it('has at most 1,024 streams', () => {
    const names = (count: number): string => Array.from({ length: count }, (_, at) => `s${at}`).join('/');
    expect(target(`/stream?streams=${names(1_024)}`)?.streams).toHaveLength(1_024);
    expect(target(`/stream?streams=${names(1_025)}`)).toBeUndefined();
  });

  it('names a symbol in lower case and its trades as they are written', () => {
    const symbols = ['btcusdt@aggTrade', 'BTCUSDT@aggTrade', 'btcusdt@aggtrade', 'btcusdt@trade'];
    expect(symbols.map(tradedSymbol)).toEqual(['BTCUSDT', undefined, undefined, undefined]);
  });
});

describe('a rolling limit', () => {
  it('refuses the sixth in any second, and lets one more through as soon as the first is a second old', () => {
    const limit = new RollingLimit(5, 1_000);
    expect([0, 300, 500, 700, 900].map((now) => limit.take(now))).toEqual([true, true, true, true, true]);
    expect(limit.take(999)).toBe(false);
    expect(limit.take(1_000)).toBe(true);
    expect(limit.take(1_200)).toBe(false);
    expect(limit.take(1_300)).toBe(true);
  });
});
