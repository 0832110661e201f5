import { describe, expect, it } from 'vitest';
import { printRun } from '../../src/cli/run-print.js';
import { UnreachableError } from '../../src/core/errors.js';
import type { SubmissionRequest } from '../../src/core/ports/spark.js';
import { situationOf } from '../../src/core/run-situation.js';
import { situations } from '../../src/core/situations.js';
import { aRun } from '../support/memory-runs.js';
import { callCli } from '../support/run-cli.js';

/** No server listens on these ports: a command that asked anything would exit with 4. */
const env = { PGPORT: '9', SPARK_REST_URL: 'http://127.0.0.1:9', SPARK_UI_URL: 'http://127.0.0.1:9' };

describe('runs show', () => {
  it('says what to do where Spark wants a key, beside what is written down', () => {
    let err = '';
    const io = {
      out: () => undefined,
      err: (text: string) => (err += text),
      isTerminal: false,
      useColor: false,
    };
    const run = {
      ...aRun(),
      driverState: undefined,
      situation: situationOf(aRun(), { silence: 'it answered 403' }),
    };
    const unreachable = new UnreachableError('it answered 403', { nextStep: 'Set SPARK_REST_KEY.' });
    printRun(io, { run, batches: [], unreachable });
    expect(err).toBe('Shown is what is written down: it answered 403\nSet SPARK_REST_KEY.\n');
  });

  it.each([
    ['ended           2026-11-23 22:00:00Z', undefined],
    // Spark keeps no time of a driver's end: it is when somebody looked.
    ['seen ended      2026-11-23 22:00:00Z', { appArgs: ['etl.py'] } as unknown as SubmissionRequest],
  ])('says whose word the time of the end is: %s', (line, request) => {
    let out = '';
    const io = {
      out: (text: string) => (out += text),
      err: () => undefined,
      isTerminal: false,
      useColor: false,
    };
    const ended = aRun({ request, state: 'FINISHED', endedAt: new Date(Date.UTC(2026, 10, 23, 22)) });
    const run = { ...ended, driverState: undefined, situation: situationOf(ended, {}) };
    printRun(io, { run, batches: [], unreachable: undefined });
    expect(out.split('\n')).toContain(line);
  });
});

describe('runs', () => {
  it.each([
    [['runs', '--live', '--state', 'FAILED'], /contradicts/],
    [['runs', '--state', 'DONE'], /Allowed choices are PENDING, SUBMITTED/],
    [['runs', '--since', 'yesterday'], /"yesterday" is not a time/],
  ])('exits 2 for what was typed wrongly: %j', async (argv, message) => {
    const { exitCode, err } = await callCli(argv, env);
    expect(exitCode).toBe(2);
    expect(err).toMatch(message);
  });

  it.each([
    [['runs', '--since', '2h']],
    [['runs', '--since', '2026-11-23']],
    [['runs', 'show', 'streaming', '--json']],
  ])('exits 4 where the book of runs does not answer: %j', async (argv) => {
    expect((await callCli(argv, env)).exitCode).toBe(4);
  });

  it('explains every word for how a run is', async () => {
    const { out } = await callCli(['runs', '--help'], env);
    for (const [name, { meaning }] of Object.entries(situations))
      expect(out).toMatch(new RegExp(`${name} +!? ? +${meaning}`));
  });
});
