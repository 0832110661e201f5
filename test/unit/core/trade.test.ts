import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tickMessage } from '../../../src/core/tick-message.js';
import { parseAggTrade } from '../../../src/core/trade.js';
import { aTick } from '../../support/ticks.js';

// Recorded: /api/v3/aggTrades of BTCUSDT, 2020-05-06.
const wire = {
  M: true,
  T: 1588749117459,
  a: 284861205,
  f: 310207484,
  l: 310207485,
  m: true,
  p: '9039.74000000',
  q: '0.17700100',
};

describe('parseAggTrade', () => {
  it('reads a trade as the exchange sends it', () => {
    expect(parseAggTrade('BTCUSDT', wire)).toEqual({
      tick: {
        source: 'binance-spot',
        symbol: 'BTCUSDT',
        aggTradeId: 284861205,
        firstTradeId: 310207484,
        lastTradeId: 310207485,
        price: '9039.74000000',
        quantity: '0.17700100',
        eventTime: 1588749117459,
        buyerIsMaker: true,
      },
    });
  });

  it('passes a neutralised row on as it is', () => {
    const reading = parseAggTrade('BTCUSDT', { ...wire, f: -1, l: -1, p: '0', q: '0' });
    expect(reading.tick).toMatchObject({ firstTradeId: -1, lastTradeId: -1, price: '0', quantity: '0' });
  });

  it.each([
    [{ a: '284861205' }, 'id `a`'],
    [{ a: -1 }, 'id `a`'],
    [{ a: 2 ** 53 }, 'id `a`'],
    [{ f: 1.5 }, 'first trade id'],
    [{ l: undefined }, 'last trade id'],
    [{ p: 9039.74 }, 'price'],
    [{ p: '1e3' }, 'price'],
    [{ p: '1","x":"' }, 'price'],
    [{ q: '-1' }, 'quantity'],
    [{ T: 1588749117459000 }, 'time'],
    [{ m: 'true' }, 'flag'],
  ])('names what is wrong with %j', (change, words) => {
    expect(parseAggTrade('BTCUSDT', { ...wire, ...change }).reason).toContain(words);
  });

  it('never throws, and what it accepts survives the message unchanged', () => {
    const anything = fc.oneof(
      fc.anything(),
      fc.record({
        a: fc.maxSafeNat(),
        f: fc.integer({ min: -2 }),
        l: fc.maxSafeNat(),
        p: fc.oneof(fc.string(), fc.constant('1.50')),
        q: fc.oneof(fc.string(), fc.constant('0.1')),
        T: fc.oneof(fc.integer({ min: -1, max: 2_000_000_000 }), fc.maxSafeNat()),
        m: fc.boolean(),
      }),
    );
    fc.assert(
      fc.property(anything, (raw) => {
        const { tick, reason } = parseAggTrade('BTCUSDT', raw);
        if (tick === undefined) expect(reason).not.toBe('');
        else expect(JSON.parse(tickMessage(tick))).toEqual(tick);
      }),
    );
  });
});

describe('tickMessage', () => {
  it('is the JSON that readers of the topic know', () => {
    expect(tickMessage(aTick({ aggTradeId: 5 }))).toBe(
      '{"source":"binance-spot","symbol":"BTCUSDT","price":"60000.10000000","quantity":"0.00100000",' +
        '"eventTime":1700000000500,"aggTradeId":5,"firstTradeId":10,"lastTradeId":11,"buyerIsMaker":false}',
    );
  });
});
