import { beforeEach, describe, expect, it } from 'vitest';
import { answerControl, type Subscriptions } from '../../../src/sandbox/stream/control.js';

const streams = new Set<string>();
const subscriptions: Subscriptions = {
  list: () => [...streams],
  add: (stream) => streams.add(stream),
  remove: (stream) => streams.delete(stream),
  isCombined: false,
};
const ask = (request: unknown): unknown =>
  JSON.parse(answerControl(typeof request === 'string' ? request : JSON.stringify(request), subscriptions));
const names = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `s${index}usdt@aggTrade`);
const METHODS = '`SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`';

beforeEach(() => {
  streams.clear();
  subscriptions.isCombined = false;
});

describe('a control message', () => {
  it('subscribes, also to what the exchange does not know, and each stream once', () => {
    const params = ['btcusdt@aggTrade', 'btcusdt@depth@100ms', '!miniTicker@arr', 'nosuchsymbol@aggTrade'];
    expect(answerControl(JSON.stringify({ method: 'SUBSCRIBE', params, id: 1 }), subscriptions)).toBe(
      '{"result":null,"id":1}',
    );
    ask({ method: 'SUBSCRIBE', params, id: 2 });
    expect(ask({ method: 'LIST_SUBSCRIPTIONS', id: 3 })).toEqual({ result: params, id: 3 });
  });

  it('unsubscribes, also from what was not subscribed', () => {
    ask({ method: 'SUBSCRIBE', params: ['a@aggTrade', 'b@aggTrade'], id: 1 });
    expect(ask({ method: 'UNSUBSCRIBE', params: ['a@aggTrade', 'c@aggTrade'], id: 2 })).toEqual({
      result: null,
      id: 2,
    });
    expect([...streams]).toEqual(['b@aggTrade']);
  });

  it('sets and gets whether messages are combined', () => {
    expect(ask({ method: 'GET_PROPERTY', params: ['combined'], id: 1 })).toEqual({ result: false, id: 1 });
    expect(ask({ method: 'SET_PROPERTY', params: ['combined', true], id: 2 })).toEqual({
      result: null,
      id: 2,
    });
    expect(ask({ method: 'GET_PROPERTY', params: ['combined'], id: 3 })).toEqual({ result: true, id: 3 });
  });

  it.each([[7], [-7], ['a1B2'], [null]])('is answered with its id %j', (id) => {
    expect(ask({ method: 'LIST_SUBSCRIPTIONS', id })).toEqual({ result: [], id });
  });

  it('takes 1,024 streams and not one more, and then none of the request', () => {
    ask({ method: 'SUBSCRIBE', params: names(1_000), id: 1 });
    expect(ask({ method: 'SUBSCRIBE', params: names(1_024), id: 2 })).toEqual({ result: null, id: 2 });
    streams.delete('s0usdt@aggTrade');
    expect(ask({ method: 'SUBSCRIBE', params: ['a@aggTrade', 'b@aggTrade'], id: 19 })).toEqual({
      error: { code: 4, msg: 'Too many subscriptions' },
      id: 19,
    });
    expect(streams.size).toBe(1_023);
  });

  it.each([
    ['hello', null, 3, 'Invalid JSON: expected value at line 1 column 1'],
    ['[]', null, 2, 'Invalid request: missing field `method` at line 1 column 1'],
    [{ id: 1 }, 1, 2, 'Invalid request: missing field `method` at line 1 column 1'],
    [
      { method: 'STOP', id: 1 },
      1,
      2,
      `Invalid request: unknown variant STOP, expected one of ${METHODS} at line 1 column 28`,
    ],
    [
      { method: 'LIST_SUBSCRIPTIONS', id: 1.5 },
      null,
      2,
      'Invalid request: request ID must be an unsigned integer',
    ],
    [
      { method: 'LIST_SUBSCRIPTIONS', id: 'x'.repeat(37) },
      null,
      2,
      'Invalid request: request ID must be an unsigned integer',
    ],
    [{ method: 'SUBSCRIBE', params: ['not a stream'], id: 1 }, 1, 2, 'Invalid request: invalid stream'],
    [{ method: 'SUBSCRIBE', id: 1 }, 1, 2, 'Invalid request: invalid stream'],
    [{ method: 'GET_PROPERTY', params: ['colour'], id: 1 }, 1, 0, 'Unknown property'],
    [{ method: 'SET_PROPERTY', params: ['colour', true], id: 1 }, 1, 0, 'Unknown property'],
    [
      { method: 'SET_PROPERTY', params: ['combined', 'yes'], id: 1 },
      1,
      1,
      'Invalid value type: expected Boolean',
    ],
    [{ method: 'GET_PROPERTY', params: [1], id: 1 }, 1, 2, 'Invalid request: property name must be a string'],
    [
      { method: 'GET_PROPERTY', params: ['combined', true], id: 1 },
      1,
      2,
      'Invalid request: too many parameters',
    ],
  ])('%j is refused', (request, id, code, msg) => {
    expect(ask(request)).toEqual({ error: { code, msg }, id });
  });
});
