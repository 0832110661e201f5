import type { Clock } from '../../src/core/ports/clock.js';

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

/** A clock that jumps to the next sleeper whenever nothing else is left to run, so sleeps keep their order and cost no time. */
export class VirtualClock implements Clock {
  private readonly sleepers = new Set<Sleeper>();
  private isPumping = false;

  constructor(private time = Date.UTC(2026, 10, 23, 12)) {}

  now(): number {
    return this.time;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.sleepers.delete(sleeper);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper: Sleeper = { until: this.time + ms, wake };
      this.sleepers.add(sleeper);
      signal?.addEventListener('abort', wake);
      this.pump();
    });
  }

  private pump(): void {
    if (this.isPumping) return;
    this.isPumping = true;
    setImmediate(() => {
      this.isPumping = false;
      const next = [...this.sleepers].sort((left, right) => left.until - right.until)[0];
      if (next === undefined) return;
      this.time = Math.max(this.time, next.until);
      next.wake();
      this.pump();
    });
  }
}
