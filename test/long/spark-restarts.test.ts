import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAlive } from '../../src/stack/process-table.js';
import { readState } from '../../src/stack/state.js';
import { markLogs } from '../support/log-mark.js';
import { comesBackMs, LivingJob } from '../support/living-job.js';

let job: LivingJob;

beforeAll(async () => {
  job = await LivingJob.start({ name: 'native-spark-restarts', portOffset: 19_000 });
});
afterAll(() => job.close());

async function killMasterAndWorker(): Promise<void> {
  const { processes } = readState(job.stack.dataDir)!;
  const killed = [processes['spark-master']!, processes['spark-worker']!];
  for (const { pid } of killed) process.kill(pid, 'SIGKILL');
  await expect.poll(() => killed.filter(isAlive)).toEqual([]);
}

describe('master and worker that are killed together', () => {
  // The worker has the same port each time, and the master that recovers writes to it at the port that it remembers.
  it('come back with `stack up`, and a supervised run goes on, three times in a row', async () => {
    const first = await job.submit('--supervise');
    for (let round = 1; round <= 3; round += 1) {
      const log = markLogs(job.stack.dataDir, ['spark-master', 'spark-worker']);
      const started = Date.now();
      await killMasterAndWorker();
      await job.stackUp();
      const up = Date.now();
      const again = await job.becomes(
        `started again in round ${round}`,
        ({ restarts, state }) => restarts === round && state === 'RUNNING',
        comesBackMs,
      );
      console.log(
        `round ${round}: stack up after ${((up - started) / 1000).toFixed(1)} s, run back after ${((Date.now() - started) / 1000).toFixed(1)} s`,
      );
      expect(again.runId).toBe(first.runId);
      const { workers } = await job.app.spark.master();
      expect(workers.filter(({ state }) => state === 'ALIVE')).toHaveLength(1);
      expect(log.timesSince('spark-worker', 'Successfully registered with master')).toBe(1);
      expect(log.since('spark-worker')).not.toContain('Master has changed');
      expect(log.timesSince('spark-master', 'Registering worker ')).toBe(1);
    }
    expect((await job.call('stop', 'living')).exitCode).toBe(0);
  });
});
