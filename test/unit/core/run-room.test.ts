import { describe, expect, it } from 'vitest';
import { memoryMb, needOf } from '../../../src/core/run-room.js';
import { registersItself, submissionRequest } from '../../../src/core/submission.js';
import { cluster, streamingWork } from '../../support/submission-world.js';

const runId = '20261123t211500-ab12cd';
const requestOf = (work: typeof streamingWork) =>
  submissionRequest({ work, runId, hdfsRoot: 'hdfs://nn' }, cluster);
const jar = {
  ...streamingWork,
  registersItself: false,
  program: { kind: 'jar', address: 'hdfs://nn/x.jar', mainClass: 'X', args: ['--run-id', 'mine'], jars: [] },
} as const;

describe('what a run wants of a worker', () => {
  it.each([
    ['1g', 1024],
    ['512m', 512],
    ['1536k', 1],
    ['2T', 2_097_152],
    ['700', 700],
    ['1gb', 1024],
  ])('reads %s as %i MB', (text, megabytes) => {
    expect(memoryMb(text)).toBe(megabytes);
  });

  it.each([
    [
      'Python',
      requestOf({ ...streamingWork, resources: { ...streamingWork.resources, executorMemory: '3g' } }),
    ],
    ['a JAR', requestOf({ ...jar, resources: { ...jar.resources, executorMemory: '3g' } })],
  ])('is read from what Spark was sent, for %s', (_kind, request) => {
    expect(needOf({ request }, 'executor')).toEqual({ cores: 2, memoryMb: 3072 });
    expect(needOf({ request }, 'driver')).toEqual({ cores: 1, memoryMb: 1024 });
  });

  it('is not known of a run of an earlier version', () => {
    expect(needOf({ request: undefined }, 'driver')).toBeUndefined();
  });
});

describe('a program', () => {
  it('registers itself exactly where it was given its own run id', () => {
    expect(registersItself({ runId, request: requestOf(streamingWork) })).toBe(true);
    expect(registersItself({ runId, request: requestOf(jar) })).toBe(false);
    expect(registersItself({ runId, request: undefined })).toBe(true);
  });
});
