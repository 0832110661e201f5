import type { Halt } from '../../core/ports/sandbox.js';
import { hash, keyFor } from './hash.js';

const MINUTE_MS = 60_000;
const LONGEST_SEEDED = 2;

/** When a generated symbol does not trade, in whole minutes: what was asked for, and what follows from the seed. */
export class Halts {
  /** Blocks without a single minute of trading, ascending. */
  readonly wholeBlocks: readonly number[];
  private readonly key: number;

  constructor(
    key: number,
    private readonly asked: readonly Halt[],
    private readonly options: {
      /** One halt of one or two minutes in each block. */
      readonly isSeeded: boolean;
      readonly blockMinutes: number;
      /** Epoch ms of minute 0. */
      readonly origin: number;
    },
  ) {
    this.key = keyFor(key, 'halt');
    this.wholeBlocks = this.findWholeBlocks();
  }

  /** Whether a minute, counted from the origin, is without trading. */
  isHalted(minute: number): boolean {
    const time = this.options.origin + minute * MINUTE_MS;
    return this.asked.some(({ from, to }) => from <= time && time < to) || this.isSeededHalt(minute);
  }

  private isSeededHalt(minute: number): boolean {
    const { isSeeded, blockMinutes } = this.options;
    if (!isSeeded) return false;
    const bits = hash(this.key, Math.floor(minute / blockMinutes));
    const first = (bits >>> 1) % (blockMinutes - LONGEST_SEEDED);
    const inside = (minute % blockMinutes) - first;
    return inside >= 0 && inside < 1 + (bits & 1);
  }

  private findWholeBlocks(): number[] {
    const { blockMinutes, origin } = this.options;
    const blocks = new Set<number>();
    for (const { from, to } of this.asked) {
      const first = Math.floor((from - origin) / MINUTE_MS / blockMinutes);
      for (let block = first; origin + block * blockMinutes * MINUTE_MS < to; block += 1) {
        const minutes = Array.from({ length: blockMinutes }, (_, index) => block * blockMinutes + index);
        if (minutes.every((minute) => this.isHalted(minute))) blocks.add(block);
      }
    }
    return [...blocks].sort((left, right) => left - right);
  }
}
