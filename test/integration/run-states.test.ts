import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SeenRun } from '../../src/commands/runs.js';
import { comesBackMs, LivingJob } from '../support/living-job.js';
import { eventually } from '../support/pipeline.js';

let job: LivingJob;

beforeAll(async () => {
  job = await LivingJob.start({ name: 'run-states', portOffset: 19_000 });
});
afterAll(() => job.close());

describe('a supervised run', () => {
  let run: SeenRun;

  it('whose Python is killed is started again, and says so', async () => {
    run = await job.submit('--supervise');
    job.kill(run, 'python');
    const again = await job.restarted(1);
    expect(again).toMatchObject({
      ...{ runId: run.runId, state: 'RUNNING', submissionId: run.submissionId, exitCode: 0 },
      ...{ situation: { name: 'started again' }, lastError: 'it left no word: its process was killed' },
    });
    await job.becomes('at work again', (now) => now.applicationId !== run.applicationId, comesBackMs);
  });

  it('whose worker is killed waits for another one, and comes back under a new driver id', async () => {
    await job.killServer('spark-worker');
    const waiting = await job.becomes('relaunching', ({ situation }) => situation.name === 'relaunching');
    expect(waiting).toMatchObject({ state: 'RUNNING', exitCode: 5 });
    expect(waiting.situation.sentence).toMatch(/the master has no living worker/);
    expect(await job.sparkProblems()).toMatch(/no worker lives\nrun .*, relaunching: its worker was lost/);
    await job.stackUp();
    const back = await job.becomes(
      'back',
      ({ restarts, applicationId }) => restarts === 2 && applicationId !== waiting.applicationId,
      comesBackMs,
    );
    expect(back.submissionId).not.toBe(run.submissionId);
    expect(back).toMatchObject({ runId: run.runId, state: 'RUNNING', situation: { name: 'started again' } });
  });

  it('whose master is killed goes on: unreachable is not lost', async () => {
    const before = await job.show();
    await job.killServer('spark-master');
    const alone = await job.becomes('unreachable', ({ situation }) => situation.name === 'unreachable');
    expect(alone).toMatchObject({ state: 'RUNNING', exitCode: 4 });
    await job.stackUp();
    const after = await job.becomes('known', ({ driverState }) => driverState === 'RUNNING', comesBackMs);
    const { submissionId, applicationId } = before;
    expect(after).toMatchObject({ submissionId, applicationId, restarts: 2 });
    expect((await job.call('stop', 'living')).exitCode).toBe(0);
  });
});

describe('a run without supervise', () => {
  it('is left alone by a Ctrl-C, which says how to follow it', async () => {
    const waiting = job.startWaiting();
    let said = '';
    waiting.stderr.on('data', (text: Buffer) => (said += text.toString()));
    const waits = (): Promise<true | undefined> =>
      Promise.resolve(said.includes('waiting for the end') || undefined);
    await eventually('the wait', waits, comesBackMs);
    waiting.kill('SIGINT');
    const { exitCode, stderr } = await waiting;
    expect(stderr).toMatch(/Run .* goes on \(RUNNING\); only the wait for it was ended\n.*cryptopipe logs/);
    expect(exitCode).toBe(130);
    expect(await job.show()).toMatchObject({
      ...{ state: 'RUNNING', situation: { name: 'running' }, exitCode: 0 },
    });
  });

  it('whose JVM is killed has FAILED, and one command brings it back', async () => {
    job.kill(await job.show(), 'java');
    const failed = await job.becomes('failed', ({ situation }) => situation.name === 'failed');
    expect(failed).toMatchObject({ state: 'FAILED', exitCode: 5 });
    // Spark tells the end; why, the job's last word, where it was there in time.
    expect(failed.error).toMatch(
      /^driver FAILED: .*(the driver's JVM ended under it|its log names no error): killed, or out of memory$/,
    );
    expect(await job.submit()).toMatchObject({ outcome: 'submitted', state: 'RUNNING' });
    expect((await job.call('stop', 'living', '--kill')).exitCode).toBe(0);
  });
});
