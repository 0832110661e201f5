import { describe, expect, it } from 'vitest';
import type { JobRun } from '../../../src/core/ports/runs.js';
import type { MasterReport } from '../../../src/core/ports/spark.js';
import { situationOf, type Evidence } from '../../../src/core/run-situation.js';
import { submissionRequest } from '../../../src/core/submission.js';
import { aRun } from '../../support/memory-runs.js';
import { cluster, streamingWork } from '../../support/submission-world.js';

const readAt = new Date(Date.UTC(2026, 10, 23, 22, 0));
const ago = (seconds: number): Date => new Date(readAt.getTime() - seconds * 1000);
const runId = '20261123t211500-aaaaaa';
const request = submissionRequest({ work: streamingWork, runId, hdfsRoot: 'hdfs://nn' }, cluster);

const run = (values: Partial<JobRun> = {}): JobRun =>
  aRun({
    ...{ readAt, runId, request, state: 'RUNNING', submissionId: 'driver-1', applicationId: 'app-1' },
    ...{ createdAt: ago(60), startedAt: ago(50), heartbeatAt: ago(1) },
    ...values,
  });

const free = { coresFree: 3, memoryFreeMb: 3072 };
const master = (
  worker: Partial<MasterReport['workers'][number]> = {},
  appState = 'RUNNING',
): MasterReport => ({
  status: 'ALIVE',
  url: 'spark://127.0.0.1:7077',
  workers: [
    {
      ...{ id: 'worker-1', state: 'ALIVE', webUiAddress: '', cores: 4, memoryMb: 4096 },
      ...free,
      ...worker,
    },
  ],
  drivers: [{ id: 'driver-1', state: 'RUNNING', workerId: 'worker-1' }],
  apps: [{ id: 'app-1', name: `CryptoStreamingJob-${runId}`, state: appState, cores: 2 }],
});

const runs: Evidence = { driverState: 'RUNNING', master: master() };
const submitted = { state: 'SUBMITTED', startedAt: undefined, heartbeatAt: undefined } as const;
const foreign = { ...request, appArgs: request.appArgs.slice(0, -2) };

describe('the situation of a run', () => {
  it.each<[string, boolean, RegExp, Partial<JobRun>, Evidence]>([
    ['running', true, /^it works$/, {}, runs],
    ['running', true, /^it works$/, { request: foreign, heartbeatAt: undefined }, runs],
    ['silent', false, /last said 16 s ago that it lives\)$/, { heartbeatAt: ago(16) }, runs],
    ['stopping', true, /\(asked 3 s ago\)$/, { stopRequestedAt: ago(3) }, runs],
    ['silent', false, /40 s ago/, { stopRequestedAt: ago(30), heartbeatAt: ago(40) }, runs],
    [
      'started again',
      true,
      /\(once, last 20 s ago; before that: ValueError: x\)$/,
      { restarts: 1, starts: [ago(90), ago(20)], lastError: 'ValueError: x' },
      runs,
    ],
    ['running', true, /^it works$/, { restarts: 1, starts: [ago(9000), ago(700)] }, runs],
    [
      'restarting often',
      false,
      /\(3 times, last 5 s ago; before that: no word\)$/,
      { restarts: 3, starts: [ago(90), ago(60), ago(30), ago(5)] },
      runs,
    ],
    [
      'crash loop',
      false,
      /started it 5 times, and each time it died within a minute/,
      submitted,
      { ...runs, failedStarts: 5 },
    ],
    ['starting', true, /reported yet$/, submitted, { ...runs, failedStarts: 4 }],
    ['slow start', false, /submitted 3 min ago/, { ...submitted, createdAt: ago(200) }, runs],
    [
      'no executors',
      false,
      /\(each wants 2 cores and 1024 MB; worker-1 has 1 of 4 cores and 3072 of 4096 MB free\)$/,
      {},
      { driverState: 'RUNNING', master: master({ coresFree: 1 }, 'WAITING') },
    ],
    ['running', true, /^it works$/, {}, { driverState: 'RUNNING', master: master({}, 'WAITING') }],
    [
      'worker lost',
      false,
      /\(worker-1 is DEAD; the job last said 1 s ago/,
      {},
      { driverState: 'RUNNING', master: master({ state: 'DEAD' }) },
    ],
    ['worker lost', false, /\(driver ERROR; the job last/, {}, { driverState: 'ERROR', unclear: 'x' }],
    ['starting', true, /reported yet$/, submitted, { driverState: 'SUBMITTED', master: master() }],
    [
      'waiting for room',
      false,
      /\(it wants 1 core and 1024 MB; worker-1 has 0 of 4 cores and 3072 of 4096 MB free\)$/,
      submitted,
      { driverState: 'SUBMITTED', master: master({ coresFree: 0 }) },
    ],
    [
      'waiting for room',
      false,
      /no worker is large enough, so it waits for ever\)$/,
      submitted,
      { driverState: 'SUBMITTED', master: master({ memoryMb: 512, memoryFreeMb: 512 }) },
    ],
    [
      'waiting for room',
      false,
      /\(it wants 1 core and 1024 MB; the master has no living worker\)$/,
      submitted,
      { driverState: 'SUBMITTED', master: master({ state: 'DEAD' }) },
    ],
    ['relaunching', false, /has 3 of 4 cores/, {}, { driverState: 'RELAUNCHING', master: master() }],
    ['recovering', false, /1 s ago/, {}, { driverState: 'UNKNOWN' }],
    ['forgotten', false, /1 s ago/, {}, { driverState: 'GONE' }],
    ['unclear', true, /may be it/, {}, { driverState: 'GONE', unclear: 'driver-2 may be it' }],
    [
      'unclear',
      true,
      /may still arrive/,
      { ...submitted, state: 'PENDING' },
      { unclear: 'may still arrive' },
    ],
    ['unreachable', false, /ECONNREFUSED; the job last said 1 s ago/, {}, { silence: 'ECONNREFUSED' }],
    ['starting', true, /driver HIBERNATING/, {}, { driverState: 'HIBERNATING' }],
    ['finished', true, /ended well$/, { state: 'FINISHED' }, {}],
    ['failed', false, /\(ValueError: x\)$/, { state: 'FAILED', error: 'ValueError: x' }, {}],
    ['crash loop', false, /started 6/, { state: 'FAILED', error: 'crash loop: started 6 times' }, {}],
    ['killed', false, /\(driver KILLED\)$/, { state: 'KILLED', error: 'driver KILLED' }, {}],
    ['stopped', true, /on request/, { state: 'KILLED', stopRequestedAt: ago(9) }, {}],
    ['lost', false, /never arrived/, { state: 'LOST', error: 'it never arrived at Spark' }, {}],
  ])('is %s (well: %s), %s', (name, isHealthy, sentence, row, evidence) => {
    const situation = situationOf(run(row), evidence);
    expect(situation).toMatchObject({ name, isHealthy });
    expect(situation.sentence).toMatch(sentence);
  });

  it.each<[string, Partial<JobRun>]>([
    ['quality', { job: 'quality', parameters: { day: '2026-01-01' } }],
    // A job of the catalogue may have a parameter of that name.
    ['import', { job: 'import', parameters: { file: 'a.csv' } }],
    ['sql daily.sql …', { job: 'sql', parameters: { file: 'daily.sql', to: 'stdout' } }],
    ["python 'my etl.py' …", { job: 'my-etl', parameters: { file: 'my etl.py' }, request: foreign }],
    ['jar pi.jar …', { job: 'pi', parameters: { file: 'pi.jar', class: 'Pi' }, request: foreign }],
  ])('says how it is submitted again: %s', (words, row) => {
    expect(situationOf(run({ state: 'KILLED', ...row }), {}).nextStep).toBe(
      `again: \`cryptopipe submit ${words}\``,
    );
  });

  it('names the run in its next step', () => {
    expect(situationOf(run({ state: 'LOST', job: 'quality' }), {}).nextStep).toBe(
      'again: `cryptopipe submit quality`',
    );
    expect(situationOf(run(), runs).nextStep).toBeUndefined();
  });
});
