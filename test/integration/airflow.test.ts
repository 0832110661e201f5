import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { JobRun } from '../../src/core/ports/runs.js';
import { membersOf, isAlive, type ProcessId } from '../../src/stack/process-table.js';
import { readState } from '../../src/stack/state.js';
import { Airflow, describeWithAirflow, minutesOfTape } from '../support/airflow.js';
import { isLoopbackAddress, listeningOf } from '../support/listening.js';
import { cryptopipe, eventually, startCommand, type Running } from '../support/pipeline.js';
import { query } from '../support/postgres.js';
import { startStack, type TestStack } from '../support/stack.js';

const dayMs = 86_400_000;
const markMs = 300_000;
const today = Math.floor(Date.now() / dayMs) * dayMs;
const yesterday = today - dayMs;
/** The stand-in has the last ten minutes of yesterday and goes on; the producer begins five minutes later. */
const tapeBegin = new Date(today - 600_000).toISOString();
const producerBegin = new Date(today - 300_000).toISOString();
/** When the night's run of today is due. */
const night = new Date(today + 1_800_000).toISOString();
const alarms = join(tmpdir(), 'cryptopipe-test', 'airflow-alarms');

const longMs = 500_000;

await describeWithAirflow('Airflow, on a real stack', () => {
  let stack: TestStack;
  let airflow: Airflow;
  let sandbox: Running;
  let stoppedAt = 0;

  const run = async (args: readonly string[], exitCode = 0): Promise<{ out: string; err: string }> => {
    const result = await cryptopipe(stack.env, args, 400_000);
    if (result.exitCode !== exitCode)
      throw new Error(`${args.join(' ')}: exit ${result.exitCode ?? -1}\n${result.stdout}\n${result.stderr}`);
    return { out: result.stdout, err: result.stderr };
  };
  const rows = <Row>(sql: string): Promise<Row[]> => {
    const { host, port, database, user, password } = stack.config.postgres;
    return query({ host, port, database, user, password }, sql) as Promise<Row[]>;
  };
  const streams = (): Promise<{ run_id: string; state: string }[]> =>
    rows(`SELECT run_id, state FROM crypto.job_runs WHERE job = 'streaming' ORDER BY created_at`);
  /** Everything that is known of yesterday. */
  const yesterdayNow = async (): Promise<unknown> => {
    const inDay = `window_start >= '${new Date(yesterday).toISOString()}' AND window_start < '${new Date(today).toISOString()}'`;
    return {
      bars: await rows(
        `SELECT count(*)::int, md5(string_agg(bar::text, ';' ORDER BY window_start)) FROM crypto.crypto_prices_agg_1min bar WHERE ${inDay}`,
      ),
      verdicts: await rows(
        `SELECT verdict, count(*)::int FROM crypto.reconciliations WHERE ${inDay} GROUP BY 1 ORDER BY 1`,
      ),
      ranges: await rows(
        `SELECT lower(ids)::text AS first, (SELECT count(*)::int FROM unnest(ids)) FROM crypto.coverage`,
      ),
    };
  };

  /** The first run of Airflow's own schedule, after this time, that submitted the streaming job. */
  const broughtBack = (since: number): Promise<{ runId: unknown; mark: number }> =>
    eventually(
      'a scheduled run that submits',
      async () => {
        for (const { dag_run_id, run_type, start_date, logical_date } of await airflow.runs(
          'keep_streaming',
        )) {
          if (run_type !== 'scheduled' || Date.parse(start_date ?? '') < since) continue;
          const given = await airflow.result('keep_streaming', 'submit', dag_run_id).catch(() => undefined);
          if (given?.['outcome'] === 'submitted')
            return { runId: given['runId'], mark: Date.parse(logical_date) };
        }
        return undefined;
      },
      420_000,
    );

  beforeAll(async () => {
    const alarm = `${alarms}.sh`;
    const env = { CRYPTO_API_URL: 'sandbox', CRYPTO_SYMBOL: 'BTCUSDT', CRYPTOPIPE_ALARM_COMMAND: alarm };
    stack = await startStack({ name: 'airflow', portOffset: 9_000, env });
    writeFileSync(alarm, `#!/bin/sh\nexec cat > '${alarms}'\n`, { mode: 0o755 });
    const { err } = await run(['stack', 'up', '--with', 'airflow']);
    airflow = new Airflow(join(stack.dataDir, 'airflow'), 'http://127.0.0.1:17083');
    expect(err).toContain(
      `http://localhost:17083, user admin, its password in ${stack.dataDir}/airflow/logins.json`,
    );
    await run(['init']);
    sandbox = startCommand(stack.env, [
      'sandbox',
      '--symbols',
      'BTCUSDT',
      '--rate',
      '1',
      '--begin',
      tapeBegin,
    ]);
    await eventually('the sandbox', () => Promise.resolve(sandbox.lines[0]));
  });
  afterAll(async () => {
    await sandbox.end('SIGINT');
    await stack.stop();
    for (const file of [alarms, `${alarms}.sh`]) rmSync(file, { force: true });
  });

  it(
    'has a task that judges exit codes, ends its command and tells an alarm',
    async () => {
      const root = join(import.meta.dirname, '../..');
      const result = await execa(
        airflow.python,
        ['-m', 'unittest', 'discover', join(root, 'airflow/tests')],
        {
          env: {
            AIRFLOW_HOME: join(stack.dataDir, 'airflow-unittest'),
            AIRFLOW__CORE__UNIT_TEST_MODE: 'True',
            PYTHONPATH: join(root, 'airflow/dags'),
            PYTHONDONTWRITEBYTECODE: '1',
          },
          reject: false,
          all: true,
        },
      );
      expect(result.all).toMatch(/Ran 16 tests in [\d.]+s\s+OK/);
    },
    longMs,
  );

  it(
    'loads every DAG without an error, paused, each with its text',
    async () => {
      const found = await eventually('the DAGs', async () => {
        const { dags } = await airflow.api<{ dags: { dag_id: string; is_paused: boolean }[] }>('dags');
        return dags.length === 3 ? dags : undefined;
      });
      expect(found.map(({ dag_id, is_paused }) => [dag_id, is_paused])).toEqual([
        ['check_lake', true],
        ['keep_streaming', true],
        ['prove_day', true],
      ]);
      expect(await airflow.api('importErrors')).toMatchObject({ import_errors: [], total_entries: 0 });
      for (const { dag_id } of found) {
        const details = await airflow.api<{ doc_md: string }>(`dags/${dag_id}/details`);
        expect(details).toMatchObject({ catchup: false, max_active_runs: 1, owners: ['cryptopipe'] });
        expect(details.doc_md).toContain('**When it fails**');
      }
    },
    longMs,
  );

  it(
    'keeps the streaming job running: submits it once, and leaves it as it is the second time',
    async () => {
      await airflow.run(['dags', 'test', 'keep_streaming']);
      const first = await streams();
      expect(first.map(({ state }) => state)).toEqual(['RUNNING']);
      expect(await airflow.result('keep_streaming', 'submit')).toMatchObject({
        outcome: 'submitted',
        runId: first[0]?.run_id,
      });
      await run(['produce', '--detach', '--from', producerBegin]);
      await eventually('a healthy pipeline', async () => {
        const { exitCode } = await cryptopipe(stack.env, ['status', '--json']);
        return exitCode === 0 && (await rows('SELECT FROM crypto.coverage')).length === 1 ? true : undefined;
      });
      await airflow.run(['dags', 'test', 'keep_streaming']);
      expect(await streams()).toEqual(first);
      expect(await airflow.result('keep_streaming', 'submit')).toMatchObject({ outcome: 'already running' });
      expect(await airflow.result('keep_streaming', 'status')).toMatchObject({
        isHealthy: true,
        exitCode: 0,
      });
    },
    longMs,
  );

  it(
    'heals and proves the day before, and changes nothing the second time',
    async () => {
      await airflow.run(['dags', 'test', 'prove_day', night]);
      const healed = (await airflow.result('prove_day', 'heal'))['symbols'] as { missingIds: number }[];
      expect(healed).toMatchObject([{ symbol: 'BTCUSDT', left: [] }]);
      expect(healed[0]?.missingIds).toBeGreaterThan(0);
      const { bars, equal, edge, quiet } = await minutesOfTape(String(sandbox.lines[0]?.['url']), today);
      expect(equal).toBeGreaterThan(1);
      const verified = await airflow.result('prove_day', 'verify');
      expect(verified).toMatchObject({
        isProven: true,
        from: yesterday,
        to: today,
        symbols: [{ compared: equal, verdicts: { equal, edge, quiet } }],
      });
      expect(JSON.stringify(verified)).not.toContain('minutes');
      const before = await yesterdayNow();
      expect(before).toMatchObject({
        bars: [{ count: bars }],
        verdicts: [
          { verdict: 'edge', count: edge },
          { verdict: 'equal', count: equal },
          ...(quiet === 0 ? [] : [{ verdict: 'quiet', count: quiet }]),
        ],
        ranges: [{ count: 1 }],
      });
      await airflow.run(['dags', 'test', 'prove_day', night]);
      expect(await airflow.result('prove_day', 'heal')).toMatchObject({ symbols: [{ missingIds: 0 }] });
      expect(await airflow.result('prove_day', 'verify')).toEqual(verified);
      expect(await yesterdayNow()).toEqual(before);
    },
    longMs,
  );

  it(
    'fails a pipeline that is not healthy at once, in words, and tells the alarm',
    async () => {
      await run(['stop', 'streaming', '--timeout', '200']);
      const log = await airflow.run(
        ['dags', 'test', 'keep_streaming', '--mark-success-pattern', 'submit'],
        1,
      );
      expect(log).toMatch(/kafka: \d+ messages wait and no streaming job runs/);
      expect(log).not.toContain('up_for_retry');
      expect(readFileSync(alarms, 'utf8')).toMatch(
        /^keep_streaming\.status of run .* has failed: cryptopipe status: exit code 5, [^]*messages wait and no streaming job runs/,
      );
      expect(await airflow.result('keep_streaming', 'status')).toMatchObject({
        isHealthy: false,
        exitCode: 5,
      });
    },
    longMs,
  );

  it(
    "brings it back by Airflow's own scheduler when its DAG is switched on",
    async () => {
      const before = await streams();
      await airflow.api('dags/keep_streaming', 'PATCH', { is_paused: false });
      const by = await broughtBack(Date.now() - 300_000);
      const after = await streams();
      expect(after.slice(0, -1)).toEqual(before);
      expect(after.at(-1)).toEqual({ run_id: by.runId, state: 'RUNNING' });
      await run(['stop', 'streaming', '--timeout', '200']);
      stoppedAt = Date.now();
    },
    longMs,
  );

  it(
    'checks the lake over a whole hour, and finds the same the second time',
    async () => {
      // The hour that goes on, as a run of its end sees it.
      const due = new Date(Math.ceil(Date.now() / 3_600_000) * 3_600_000 + 600_000).toISOString();
      const resultsOf = ({ runId }: { runId: string }): Promise<unknown[]> =>
        rows(
          `SELECT check_name, severity, since, until, violations FROM crypto.quality_results WHERE run_id = '${runId}' ORDER BY 1`,
        );
      await airflow.run(['dags', 'test', 'check_lake', due]);
      const first = (await airflow.result('check_lake', 'quality')) as unknown as JobRun;
      await airflow.run(['dags', 'test', 'check_lake', due]);
      const second = (await airflow.result('check_lake', 'quality')) as unknown as JobRun;
      expect([first.state, second.state]).toEqual(['FINISHED', 'FINISHED']);
      expect(second.runId).not.toBe(first.runId);
      expect((await resultsOf(first)).length).toBeGreaterThan(10);
      expect(await resultsOf(second)).toEqual(await resultsOf(first));
    },
    longMs,
  );

  it(
    'brings a stopped streaming job back at the next of its five-minute marks',
    async () => {
      const { runId, mark } = await broughtBack(stoppedAt);
      expect(mark).toBeLessThanOrEqual(Math.ceil(stoppedAt / markMs) * markMs);
      expect(await streams()).toEqual([
        { run_id: expect.any(String) as string, state: 'FINISHED' },
        { run_id: expect.any(String) as string, state: 'FINISHED' },
        { run_id: runId, state: 'RUNNING' },
      ]);
    },
    longMs,
  );

  it.runIf(process.platform === 'linux')('listens on loopback only, on one port', () => {
    const addresses = listeningOf(membersOf(readState(stack.dataDir)?.processes['airflow'] as ProcessId));
    expect(addresses.map(isLoopbackAddress)).toEqual([true]);
  });

  it(
    'has its secrets in files of its owner, and leaves no process behind',
    async () => {
      const secrets = join(airflow.folder, 'secrets');
      const files = [
        ...readdirSync(secrets).map((name) => join(secrets, name)),
        join(airflow.folder, 'logins.json'),
      ];
      expect(files.map((file) => statSync(file).mode & 0o077)).toEqual(files.map(() => 0));
      const known = files.flatMap((file) => readFileSync(file, 'utf8').match(/[\w-]{16,}/g) ?? []);
      const shown =
        readFileSync(join(airflow.folder, 'bin', 'airflow'), 'utf8') +
        (await run(['stack', 'logs', 'airflow', '--lines', '5000'])).out;
      expect(known.length).toBeGreaterThan(4);
      expect(known.filter((secret) => shown.includes(secret))).toEqual([]);
      const record = readState(stack.dataDir)?.processes['airflow'] as ProcessId;
      const members = membersOf(record);
      expect(members.length).toBeGreaterThan(5);
      await run(['stack', 'down']);
      expect(members.filter(isAlive)).toEqual([]);
    },
    longMs,
  );
});
