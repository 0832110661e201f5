import type { Clock } from '../../src/core/ports/clock.js';

/** A clock that passes time only by being slept on; `onSleep` runs after each sleep. */
export class FakeClock implements Clock {
  readonly onSleep: (() => void | Promise<void>)[] = [];

  constructor(private time = Date.UTC(2026, 10, 23, 21, 15)) {}

  now(): number {
    return this.time;
  }

  async sleep(ms: number): Promise<void> {
    this.time += Math.max(1, ms);
    for (const call of this.onSleep) await call();
  }
}
