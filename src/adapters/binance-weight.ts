import type { AnswerHeaders } from '../http/http-call.js';
import { msToNextMinute } from '../core/retry.js';
import type { Clock } from '../core/ports/clock.js';
import type { ExchangeWait } from '../core/ports/exchange.js';

/** The limit that holds where nobody has said another one (exchangeInfo, since 2023-08-25). */
const defaultLimit = 6000;
/** What is left to others behind the same address, and to answers that are under way. */
const usableShare = 0.9;
/** A header this much lower than what was seen before is a new minute, not an answer that overtook another. */
const newMinuteDrop = 500;

/** The request weight of one address, shared between all calls of the process; a 429 or 418 stops all of them. */
export class WeightBudget {
  private limit = defaultLimit;
  private used = 0;
  private underWay = 0;
  private minute = 0;
  private closedUntil = 0;
  private closedBecause = '';
  private exchangeAhead = 0;

  constructor(
    private readonly clock: Clock,
    private readonly onWait: (wait: ExchangeWait) => void,
  ) {}

  /** The exchange's own limit per minute; undefined where it has none. */
  setLimit(perMinute: number | undefined): void {
    this.limit = perMinute ?? Number.POSITIVE_INFINITY;
  }

  /** Nobody calls before `until`, epoch ms. */
  closeUntil(until: number, because: string): void {
    if (until <= this.closedUntil) return;
    this.closedUntil = until;
    this.closedBecause = because;
  }

  /** Waits until a call of this weight may go out; returns at once, with nothing reserved, when the signal is aborted. */
  async reserve(weight: number, signal?: AbortSignal): Promise<void> {
    for (;;) {
      const wait = this.waitFor(weight);
      if (signal?.aborted === true) return;
      if (wait === undefined) break;
      this.onWait(wait);
      await this.clock.sleep(wait.ms, signal);
    }
    this.underWay += weight;
  }

  /**
   * The call of this weight is over. Of the answer's headers, where there was one, X-MBX-USED-WEIGHT-1M says what the address
   * has used, and Date whose minute counts: a clock of ours that runs ahead would otherwise see each minute turn too early.
   */
  settle(weight: number, headers?: AnswerHeaders): void {
    this.underWay = Math.max(0, this.underWay - weight);
    const date = Date.parse(headers?.get('date') ?? '');
    if (!Number.isNaN(date)) this.exchangeAhead = date - this.clock.now();
    const said = Number(headers?.get('x-mbx-used-weight-1m') ?? Number.NaN);
    if (!Number.isFinite(said)) {
      this.used += weight;
    } else if (said > this.used || said < this.used - newMinuteDrop) {
      this.used = said;
    }
  }

  private waitFor(weight: number): ExchangeWait | undefined {
    const now = this.clock.now();
    if (now < this.closedUntil) return { reason: this.closedBecause, ms: this.closedUntil - now };
    const exchangeNow = now + this.exchangeAhead;
    const minute = Math.floor(exchangeNow / 60_000);
    if (minute !== this.minute) {
      this.minute = minute;
      this.used = 0;
    }
    const spoken = this.used + this.underWay;
    if (spoken === 0 || spoken + weight <= this.limit * usableShare) return undefined;
    return {
      reason: `${this.used} of ${this.limit} request weight used in this minute`,
      ms: msToNextMinute(exchangeNow) + 50,
    };
  }
}
