import { describe, expect, it } from 'vitest';
import { Command } from 'commander';
import { addLogs } from '../../src/cli/logs.js';
import type { CliContext } from '../../src/cli/context.js';
import { LogWorld } from '../support/log-world.js';
import { callCli } from '../support/run-cli.js';

/** `logs` over a cluster in memory; returns what it printed. */
async function logs(world: LogWorld, ...args: readonly string[]): Promise<{ out: string; err: string }> {
  let [out, err] = ['', ''];
  const context = {
    io: { out: (text: string) => (out += text), err: (text: string) => (err += text) },
    signal: world.stop.signal,
    app: () => Promise.resolve(world.logPorts),
  } as unknown as CliContext;
  const program = new Command();
  addLogs(program, context);
  try {
    await program.parseAsync(['logs', 'streaming', ...args], { from: 'user' });
  } catch (error) {
    err += String(error);
  }
  return { out, err };
}

/** A run whose driver has printed into both streams and ends after ten seconds. */
async function talking(): Promise<{ world: LogWorld; id: string; runId: string }> {
  const world = new LogWorld();
  const { run, id } = await world.running();
  world.workerLogs.log(`${id} stdout`).append('one\ntwo\n');
  world.workerLogs.log(`${id} stderr`).append('WARN x\n');
  world.after({
    10_000: () => {
      world.spark.drivers[0]!.state = 'FINISHED';
      world.book.change(run.runId, { state: 'FINISHED' });
    },
  });
  return { world, id, runId: run.runId };
}

describe('logs', () => {
  it('prints one stream after the other, and keeps their names from stdout', async () => {
    const { world } = await talking();
    expect(await logs(world, '--lines', '1')).toEqual({
      out: 'WARN x\ntwo\n',
      err: '==== driver stderr\n==== driver stdout\n',
    });
  });

  it('prints one document as JSON', async () => {
    const { world, id, runId } = await talking();
    const { out } = await logs(world, '--stream', 'stdout', '--json');
    expect(JSON.parse(out)).toEqual({
      ...{ runId, submissionId: id, state: 'RUNNING' },
      streams: [{ of: 'driver', submissionId: id, stream: 'stdout', text: 'one\ntwo' }],
    });
  });

  it('says first why a run failed', async () => {
    const { world, runId } = await talking();
    const driver = world.spark.drivers[0]!;
    driver.state = 'FAILED';
    driver.stdout = 'Traceback (most recent call last):\n  File "x"\nValueError: no\n';
    world.book.change(runId, { state: 'FAILED', error: 'ValueError: no' });
    for (const args of [[], ['--follow']]) {
      const { err } = await logs(world, '--stream', 'stdout', ...args);
      expect(err.split('\n').slice(0, 4)).toEqual([
        `run ${runId} is FAILED: ValueError: no`,
        'Traceback (most recent call last):',
        '  File "x"',
        'ValueError: no',
      ]);
    }
  });
});

describe('logs --follow', () => {
  it('names the source of each line where there is more than one', async () => {
    const { world, runId } = await talking();
    const { out, err } = await logs(world, '--follow');
    expect(out.split('\n').toSorted()).toEqual(
      ['driver stderr | WARN x', 'driver stdout | one', 'driver stdout | two', ''].toSorted(),
    );
    expect(err).toBe(`run ${runId} is FINISHED\n`);
  });

  it('prints the bare lines of a single source', async () => {
    const { world } = await talking();
    expect((await logs(world, '--follow', '--stream', 'stdout', '--lines', 'all')).out).toBe('one\ntwo\n');
  });

  it('prints one object per line as JSON', async () => {
    const { world, id } = await talking();
    const { out } = await logs(world, '-f', '--stream', 'stdout', '--json', '--lines', '1');
    expect(JSON.parse(out)).toEqual({ of: 'driver', submissionId: id, stream: 'stdout', line: 'two' });
  });

  it('says after a Ctrl-C that the run goes on', async () => {
    const { world, runId } = await talking();
    world.after({ 3000: () => world.stop.abort() });
    const { err } = await logs(world, '--follow');
    expect(err).toContain(`no longer following; run ${runId} goes on (RUNNING)\n`);
  });
});

describe('the flags of logs', () => {
  it.each([
    [['--lines', 'some'], /neither a number of lines nor `all`/],
    [['--of', 'worker'], /Allowed choices are driver, executors, all/],
    [['--stream', 'log'], /Allowed choices are stdout, stderr, both/],
  ])('are checked: %j', async (args, message) => {
    const { exitCode, err } = await callCli(['logs', 'streaming', ...args], {});
    expect(exitCode).toBe(2);
    expect(err).toMatch(message);
  });
});
