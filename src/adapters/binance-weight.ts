import type { AnswerHeaders } from '../http/http-call.js';
import type { UnreachableError } from '../core/errors.js';
import { msToNextMinute } from '../core/retry.js';
import type { Clock } from '../core/ports/clock.js';
import type { ExchangeWait } from '../core/ports/exchange.js';

/** The limit that holds where nobody has said another one (exchangeInfo, since 2023-08-25). */
const defaultLimit = 6000;
/** What is left to others behind the same address, and to answers that are under way. */
const usableShare = 0.9;
/** A header this much lower than what was seen before is a new minute, not an answer that overtook another. */
const newMinuteDrop = 500;
/** Calls under way at once: many symbols that are allowed to call again open no thousand connections. */
const mostCalls = 32;

interface Waiter {
  readonly weight: number;
  readonly admit: () => void;
  readonly refuse: (error: Error) => void;
}

/**
 * The request weight of one address, shared between all calls of the process. Calls go out in the order in which they were
 * asked for, so no caller takes more than its turn; a 429, 418 or 403 stops all of them.
 */
export class WeightBudget {
  private limit = defaultLimit;
  private used = 0;
  private underWay = 0;
  private calls = 0;
  private minute = 0;
  private exchangeAhead = 0;
  private closed: UnreachableError | undefined;
  private pause: AbortController | undefined;
  private readonly waiting: Waiter[] = [];

  constructor(
    private readonly clock: Clock,
    private readonly onWait: (wait: ExchangeWait) => void,
  ) {}

  /** The exchange's own limit per minute; undefined where it has none. */
  setLimit(perMinute: number | undefined): void {
    this.limit = perMinute ?? Number.POSITIVE_INFINITY;
  }

  /** Every call fails with this error before its `retryAt`, also those that wait. */
  close(error: UnreachableError): void {
    if ((error.retryAt ?? 0) <= (this.closed?.retryAt ?? 0)) return;
    this.closed = error;
    for (const { refuse } of this.waiting.splice(0)) refuse(error);
    this.pump();
  }

  /**
   * Waits until a call of this weight may go out; `settle` it. Returns with nothing reserved when the signal is aborted.
   *
   * @throws UnreachableError while the exchange takes no calls: it tells until when.
   */
  async reserve(weight: number, signal?: AbortSignal): Promise<void> {
    if (this.closed !== undefined && this.clock.now() < (this.closed.retryAt ?? 0)) throw this.closed;
    if (signal?.aborted === true) return;
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        this.waiting.splice(this.waiting.indexOf(waiter), 1);
        resolve();
        this.pump();
      };
      const waiter: Waiter = {
        weight,
        admit: () => {
          signal?.removeEventListener('abort', leave);
          resolve();
        },
        refuse: (error) => {
          signal?.removeEventListener('abort', leave);
          reject(error);
        },
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.waiting.push(waiter);
      this.pump();
    });
  }

  /**
   * The call of this weight is over. Of the answer's headers, where there was one, X-MBX-USED-WEIGHT-1M says what the address
   * has used, and Date whose minute counts: a clock of ours that runs ahead would otherwise see each minute turn too early.
   */
  settle(weight: number, headers?: AnswerHeaders): void {
    this.calls -= 1;
    this.underWay -= weight;
    const date = Date.parse(headers?.get('date') ?? '');
    if (!Number.isNaN(date)) this.exchangeAhead = date - this.clock.now();
    const said = Number(headers?.get('x-mbx-used-weight-1m') ?? Number.NaN);
    if (!Number.isFinite(said)) {
      this.used += weight;
    } else if (said > this.used || said < this.used - newMinuteDrop) {
      this.used = said;
    }
    this.pump();
  }

  /** Admits the callers in their order, as long as there is weight; waits for more otherwise. */
  private pump(): void {
    for (;;) {
      const first = this.waiting[0];
      if (first === undefined) this.pause?.abort();
      if (first === undefined || this.calls >= mostCalls) return;
      const wait = this.waitFor(first.weight);
      if (wait !== undefined) {
        void this.pauseFor(wait);
        return;
      }
      this.waiting.shift();
      this.calls += 1;
      this.underWay += first.weight;
      first.admit();
    }
  }

  private async pauseFor(wait: ExchangeWait): Promise<void> {
    if (this.pause !== undefined) return;
    this.pause = new AbortController();
    this.onWait(wait);
    await this.clock.sleep(wait.ms, this.pause.signal);
    this.pause = undefined;
    this.pump();
  }

  private waitFor(weight: number): ExchangeWait | undefined {
    const exchangeNow = this.clock.now() + this.exchangeAhead;
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
