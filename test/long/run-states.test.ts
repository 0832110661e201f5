import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LivingJob } from '../support/living-job.js';

let job: LivingJob;

beforeAll(async () => {
  job = await LivingJob.start({ name: 'run-states-long', portOffset: 19_000 });
});
afterAll(() => job.close());

describe('a supervised run', () => {
  it('whose JVM is killed says what it died of', async () => {
    job.kill(await job.submit('--supervise'), 'java');
    const again = await job.restarted(1);
    expect(again.situation.name).toBe('started again');
    expect(again.lastError).toBe("the driver's JVM ended under it: killed, or out of memory");
    expect((await job.call('stop', 'living')).exitCode).toBe(0);
  });

  it('that fails each time ends itself as a crash loop', async () => {
    const call = ['submit', 'living', '--supervise', '--wait', '-p', 'ending=fails'];
    const { exitCode, stderr } = await job.call(...call);
    expect(stderr).toMatch(
      /is FAILED: crash loop: started 6 times within 10 minutes; last error: ValueError: asked to fail/,
    );
    expect(exitCode).toBe(5);
    expect(await job.show()).toMatchObject({ state: 'FAILED', situation: { name: 'crash loop' } });
  });

  it('that dies before it can report is a crash loop that Spark never ends', async () => {
    const call = ['submit', 'living', '--supervise', '--wait', '-p', 'ending=dies at once'];
    const { exitCode, stderr } = await job.call(...call);
    expect(stderr).toMatch(/crash loop: it dies each time that Spark starts it/);
    expect(stderr).toMatch(/ImportError: asked to die at once/);
    expect(exitCode).toBe(5);
    expect(await job.show()).toMatchObject({ state: 'SUBMITTED', situation: { name: 'crash loop' } });
    expect((await job.call('stop', 'living', '--kill')).exitCode).toBe(0);
    expect(await job.show()).toMatchObject({ state: 'KILLED', situation: { name: 'stopped' } });
  });
});

describe('a run without supervise', () => {
  it('whose Python is killed has FAILED, and one command brings it back', async () => {
    job.kill(await job.submit(), 'python');
    const failed = await job.becomes('failed', ({ situation }) => situation.name === 'failed');
    expect(failed).toMatchObject({ state: 'FAILED', exitCode: 5 });
    expect(failed.error).toMatch(/^driver FAILED: its process ended/);
    expect(await job.submit()).toMatchObject({ outcome: 'submitted', state: 'RUNNING' });
  });

  it('whose worker is killed has FAILED, and two commands bring it back', async () => {
    await job.killServer('spark-worker');
    const failed = await job.becomes('failed', ({ situation }) => situation.name === 'failed');
    expect(failed.error).toMatch(/its worker was lost|the driver's JVM ended under it/);
    expect(await job.sparkProblems()).toMatch(/no worker lives/);
    await job.stackUp();
    expect(await job.submit()).toMatchObject({ outcome: 'submitted', state: 'RUNNING' });
    expect((await job.call('stop', 'living')).exitCode).toBe(0);
  });
});
