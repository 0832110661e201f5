import { describe, expect, it } from 'vitest';
import { reconcile, type ReconcilePorts } from '../../../src/commands/reconcile.js';
import type { JobRun } from '../../../src/core/ports/runs.js';
import { FakeClock } from '../../support/fake-clock.js';
import { aRun } from '../../support/memory-runs.js';
import { SubmissionWorld } from '../../support/submission-world.js';

const hourMs = 3_600_000;
const written = Date.UTC(2026, 10, 23, 21, 15);

/** A run as the book gives it after so long, asked for from a computer whose clock goes wrong by so much. */
async function seen(run: JobRun, { afterMs, clockErrorMs }: { afterMs: number; clockErrorMs: number }) {
  const world = new SubmissionWorld([run]);
  await world.clock.sleep(afterMs);
  const ports: ReconcilePorts = { ...world.ports, clock: new FakeClock(world.clock.now() + clockErrorMs) };
  const found = await ports.book.find(run.runId);
  return (await reconcile(ports, found!)).run.state;
}

describe('the age of a run', () => {
  const posted = aRun({ createdAt: new Date(written) });
  const beating = aRun({ state: 'RUNNING', submissionId: 'forgotten', heartbeatAt: new Date(written) });

  it.each([hourMs, 0, -hourMs])(
    'is measured by the clock that wrote it (caller %i ms ahead)',
    async (error) => {
      expect(await seen(posted, { afterMs: 2000, clockErrorMs: error })).toBe('PENDING');
      expect(await seen(posted, { afterMs: 20_000, clockErrorMs: error })).toBe('LOST');
      expect(await seen(beating, { afterMs: 2000, clockErrorMs: error })).toBe('RUNNING');
      expect(await seen(beating, { afterMs: 40_000, clockErrorMs: error })).toBe('LOST');
    },
  );
});
