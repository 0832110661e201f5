import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CliContext } from '../../src/cli/context.js';
import { printOutcome } from '../../src/cli/submission.js';
import type { JobRun } from '../../src/core/ports/runs.js';
import type { SubmissionRequest } from '../../src/core/ports/spark.js';
import { aRun } from '../support/memory-runs.js';
import { callCli } from '../support/run-cli.js';

/** No server listens on these ports: a command that sent anything would fail. */
const env = {
  CRYPTOPIPE_PORT_OFFSET: '0',
  SPARK_REST_URL: 'http://127.0.0.1:9',
  SPARK_UI_URL: 'http://127.0.0.1:9',
  WEBHDFS_URL: 'http://127.0.0.1:9',
  PGPORT: '9',
  PYSPARK_PYTHON: '/opt/venv/bin/python3',
  CRYPTOPIPE_SPARK_JARS: '/opt/jars/spark-sql-kafka.jar,/opt/jars/postgresql.jar',
  // They are no part of what is sent.
  POSTGRES_PASSWORD: 'hidden-word',
};
const golden = readFileSync(join(import.meta.dirname, '../golden/files/streaming-request.json'), 'utf8');

describe('submit --dry-run', () => {
  it('prints the exact request and sends nothing', async () => {
    const { exitCode, out } = await callCli(['submit', 'streaming', '--dry-run'], env);
    expect(exitCode).toBe(0);
    const comparable = out
      .replaceAll(/\b[0-9a-f]{64}\b/g, '<sha256>')
      .replaceAll(/\d{8}t\d{6}-[0-9a-f]{6}/g, '20261123t211500-ab12cd');
    expect(comparable).toBe(golden);
  });

  it('holds no secret, and neither does the rendered job', async () => {
    const request = await callCli(['submit', 'streaming', '--dry-run'], env);
    const rendered = await callCli(['render', 'streaming'], env);
    expect([request.exitCode, rendered.exitCode]).toEqual([0, 0]);
    expect(request.out + rendered.out).not.toContain('hidden-word');
  });

  it('is refused where a secret of ours would be sent, and shows nothing of it', async () => {
    const argv = ['submit', 'streaming', '--dry-run', '-p', 'rejected_path=hdfs://localhost:1/hidden-word'];
    const { exitCode, out, err } = await callCli(argv, env);
    expect({ exitCode, out }).toEqual({ exitCode: 3, out: '' });
    expect(err).toMatch(/^error: The value of POSTGRES_PASSWORD stands in streaming\.py, line \d+\n/);
  });

  it('exits 2 for a parameter that was typed wrongly', async () => {
    const { exitCode, out, err } = await callCli(
      ['submit', 'streaming', '-n', '-p', 'mod=available-now'],
      env,
    );
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' });
    expect(err).toContain('mod: no such parameter; did you mean mode?');
  });
});

describe('a file that is not there', () => {
  it.each([
    [['submit', 'sql', 'nowhere.sql'], 'error: nowhere.sql cannot be read: there is no such file\n'],
    [
      ['submit', 'python', 'nowhere.py'],
      'error: nowhere.py cannot be read: there is no such file\nName a file of this computer, or an address that the workers reach (hdfs:, https:, s3a:).\n',
    ],
  ])('is said and exits 2: %j', async (argv, says) => {
    expect(await callCli(argv, env)).toEqual({ exitCode: 2, out: '', err: says });
  });
});

describe('what a person reads of a submission', () => {
  const printed = (run: Partial<JobRun>): string => {
    let err = '';
    const io = {
      out: () => undefined,
      err: (text: string) => (err += text),
      isTerminal: false,
      useColor: false,
    };
    const context = { io } as unknown as CliContext;
    printOutcome(
      context,
      { run: aRun({ runId: 'x', ...run }), outcome: 'submitted', isRegistered: true },
      false,
    );
    return err;
  };

  it('is how to follow and to end it while it lives', () => {
    expect(printed({ state: 'RUNNING' })).toBe(
      'Follow it: cryptopipe logs x --follow · cryptopipe runs show x · end it: cryptopipe stop x\n',
    );
  });

  it('is how to end it by force where its program cannot be asked', () => {
    const request = { appArgs: ['etl.py', '2'] } as unknown as SubmissionRequest;
    expect(printed({ state: 'RUNNING', request })).toContain('end it: cryptopipe stop x --kill\n');
  });

  it('is where to look when it has ended, and not how to end it', () => {
    expect(printed({ state: 'FINISHED' })).toBe(
      'Its log: cryptopipe logs x · everything about it: cryptopipe runs show x\n',
    );
  });
});

describe('a command about runs', () => {
  it.each([[['runs']], [['logs', 'streaming']], [['stop', 'streaming']], [['submit', 'streaming']]])(
    'exits 4 where nothing answers: %j',
    async (argv) => {
      const { exitCode, err } = await callCli(argv, env);
      expect(exitCode).toBe(4);
      expect(err).toMatch(/PostgreSQL at localhost:9 did not answer/);
    },
  );
});
