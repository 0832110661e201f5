import type { Clock } from '../../core/ports/clock.js';
import type { Exchange } from '../../core/ports/exchange.js';

/** A computer's clock that nobody sets drifts by about half a second in three hours. */
const trustedForMs = 600_000;

/** The exchange's time, by our clock and the difference that was measured last. */
export class ExchangeClock {
  private aheadMs = 0;
  private measuredAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly exchange: Pick<Exchange, 'serverTime'>,
    private readonly clock: Clock,
  ) {}

  now(): number {
    return this.clock.now() + this.aheadMs;
  }

  get isOld(): boolean {
    return this.clock.now() - this.measuredAt > trustedForMs;
  }

  /** Asks the exchange; its answer is taken to be from the middle of the call. */
  async measure(signal: AbortSignal): Promise<void> {
    const asked = this.clock.now();
    const theirs = await this.exchange.serverTime(signal);
    this.measuredAt = this.clock.now();
    this.aheadMs = Math.round(theirs - (asked + this.measuredAt) / 2);
  }
}
