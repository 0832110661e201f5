import { describe, expect, it } from 'vitest';
import { RequestLimit, WEIGHT_PER_MINUTE } from '../../../src/sandbox/weights.js';

const NOON = Date.UTC(2026, 10, 23, 12);
const MINUTE = 60_000;

/** Uses a minute up and asks once more. */
function broken(limit: RequestLimit, now: number): ReturnType<RequestLimit['take']>['refusal'] {
  limit.take(WEIGHT_PER_MINUTE, now);
  return limit.take(4, now).refusal;
}

describe('the request limit', () => {
  it('lets exactly 6000 through in a minute and begins again with the next', () => {
    const limit = new RequestLimit(true);
    for (let call = 1; call <= 1500; call += 1)
      expect(limit.take(4, NOON)).toEqual({ used: 4 * call, refusal: undefined });
    expect(limit.take(1, NOON).refusal?.status).toBe(429);
    expect(limit.take(4, NOON + MINUTE)).toEqual({ used: 4, refusal: undefined });
  });

  it('tells with 429 how many seconds the minute still has', () => {
    expect(broken(new RequestLimit(true), NOON + 12_500)).toEqual({
      status: 429,
      retryAfterSeconds: 48,
      body: '{"code":-1003,"msg":"Too much request weight used; current limit is 6000 request weight per 1 MINUTE. Please use WebSocket Streams for live updates to avoid polling the API."}',
    });
  });

  it('bans with 418 who goes on after 429, for two minutes, then for four', () => {
    const limit = new RequestLimit(true);
    const statuses = (now: number): number[] => {
      broken(limit, now);
      return Array.from({ length: 20 }, () => limit.take(1, now).refusal?.status ?? 200);
    };
    expect(statuses(NOON)).toEqual([...Array.from({ length: 19 }, () => 429), 418]);
    expect(limit.take(1, NOON + 2 * MINUTE - 1).refusal).toMatchObject({ status: 418, retryAfterSeconds: 1 });
    expect(limit.take(1, NOON + 2 * MINUTE).refusal).toBeUndefined();
    statuses(NOON + 3 * MINUTE);
    expect(limit.take(1, NOON + 5 * MINUTE).refusal).toMatchObject({ status: 418, retryAfterSeconds: 120 });
  });

  it('only counts where it is lifted', () => {
    const limit = new RequestLimit(false);
    expect(broken(limit, NOON)).toBeUndefined();
    expect(limit.take(1, NOON)).toEqual({ used: 6005, refusal: undefined });
  });
});
