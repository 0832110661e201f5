import { keyFor, unit } from './hash.js';

const SLOWEST_MS = 64 * 24 * 3_600_000;
const SLOWEST_SWING = 0.2;
const OCTAVES = 12;

/**
 * A price as a function of time: value noise over octaves from 64 days down to about a second, each a quarter as
 * long and half as high as the one above it, as a random walk scales. Continuous, and every time costs the same.
 */
export class PricePath {
  private readonly octaves: readonly {
    readonly key: number;
    readonly period: number;
    readonly swing: number;
  }[];

  constructor(
    key: number,
    private readonly base: number,
  ) {
    this.octaves = Array.from({ length: OCTAVES }, (_, level) => ({
      key: keyFor(key, `octave ${level}`),
      period: SLOWEST_MS / 4 ** level,
      swing: SLOWEST_SWING / 2 ** level,
    }));
  }

  /** A floating price, to be rounded to a tick; `time` in epoch ms. */
  at(time: number): number {
    let exponent = 0;
    for (const { key, period, swing } of this.octaves) {
      const place = time / period;
      const left = Math.floor(place);
      const part = place - left;
      const before = unit(key, left);
      const blend = part * part * (3 - 2 * part);
      exponent += swing * (2 * (before + (unit(key, left + 1) - before) * blend) - 1);
    }
    return this.base * Math.exp(exponent);
  }
}
