import { tradePage } from '../../core/ports/exchange.js';

/** The request weight that one run may spend on pages of trades. The exchange's own limit a minute is kept elsewhere. */
export class WeightPurse {
  private taken = 0;

  constructor(readonly max: number) {}

  /** Takes the weight of one request; false, and nothing taken, where it would be too much. */
  take(): boolean {
    if ((this.taken + 1) * tradePage.weight > this.max) return false;
    this.taken += 1;
    return true;
  }

  get requests(): number {
    return this.taken;
  }
}
