import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { reconcile } from '../../../src/commands/reconcile.js';
import { listRuns } from '../../../src/commands/runs.js';
import { stop } from '../../../src/commands/stop.js';
import { submit } from '../../../src/commands/submit.js';
import { isLive } from '../../../src/core/driver-state.js';
import { CryptopipeError, RefusedError, UnreachableError } from '../../../src/core/errors.js';
import type { JobRun } from '../../../src/core/ports/runs.js';
import type { Reaction } from '../../support/fake-master/reactions.js';
import { MasterWorld } from '../../support/fake-master/world.js';

let world: MasterWorld;
beforeEach(async () => {
  world = await MasterWorld.start();
});
afterEach(() => world.master.close());

const first = '20261123t211500-000001';
const second = '20261123t211500-000002';
const waiting = { timeoutMs: 20_000, signal: new AbortController().signal };

const submitOnce = (values = {}) => submit(world.ports, world.memory.options(values));
const rowOf = (runId: string): JobRun | undefined => world.memory.book.rows.get(runId);

async function failureOf(work: Promise<unknown>): Promise<CryptopipeError> {
  const failure: unknown = await work.catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(CryptopipeError);
  return failure as CryptopipeError;
}

/** What must hold after every submission that was repeated: one driver, one run, and they know each other. */
function expectOneRun(): void {
  const live = world.rows.filter((row) => isLive(row.state));
  expect(live).toHaveLength(1);
  expect(live[0]).toMatchObject({ state: 'RUNNING', submissionId: world.liveDrivers[0]?.id });
  expect(world.liveDrivers.map(({ runId }) => runId)).toEqual([live[0]?.runId]);
  expect(new Set(world.postedRunIds).size).toBe(world.postedRunIds.length);
}

/** Everything that can become of an answer to a submission. */
const lostAnswers: readonly (readonly [string, Reaction])[] = [
  ['never comes', { way: 'silence' }],
  ['is a reset connection', { way: 'reset' }],
  ['breaks off', { way: 'half' }],
  ['ends early', { way: 'half without length' }],
  ['drips', { way: 'slow' }],
  ['has no end', { way: 'endless' }],
  ['is no HTTP', { way: 'garbage' }],
  ['is a page of 500', { reply: 'number-format.html' }],
  ['is a page of 502', { reply: 'bad-gateway.html' }],
  ['is a page of 503', { reply: 'unavailable.html' }],
  ['is a page of 200', { reply: 'login.html' }],
  ['is empty', { reply: 'empty.txt' }],
  ['has no id', { reply: 'create-without-id.json' }],
  ['does not say yes or no', { reply: 'create-without-success.json' }],
  ['says no and gives an id', { reply: 'create-refused-with-id.json' }],
  ['has unknown fields', { reply: 'create-unknown-fields.json' }],
  ['is that of another call', { reply: 'kill-ok.json' }],
];

describe('a submission that was taken, and whose answer', () => {
  it.each(lostAnswers)('%s, is adopted by the next call', async (_what, reaction) => {
    world.master.react('create', { ...reaction, takes: true }, 1);
    const failure = await failureOf(submitOnce());
    expect(failure).not.toBeInstanceOf(RefusedError);
    expect(failure).toMatchObject({
      exitCode: 4,
      nextStep: expect.stringMatching(/^Submit again/) as string,
    });
    expect(failure.message).toMatch(/^Nobody knows whether run 20261123t211500-000001 arrived: /);
    expect(rowOf(first)?.state).toBe('PENDING');
    expect(await submitOnce()).toMatchObject({ run: { runId: first, state: 'RUNNING' } });
    expect(world.postedRunIds).toEqual([first]);
    expectOneRun();
  });
});

describe('a submission that was not taken, and whose answer', () => {
  it.each(lostAnswers)('%s, is given up before another is posted', async (_what, reaction) => {
    world.master.react('create', { ...reaction, takes: false }, 1);
    expect(await failureOf(submitOnce())).not.toBeInstanceOf(RefusedError);
    expect(await submitOnce()).toMatchObject({ outcome: 'submitted', run: { runId: second } });
    expect(rowOf(first)).toMatchObject({ state: 'LOST', error: 'it never arrived at Spark' });
    expectOneRun();
  });
});

describe('a submission that Spark refuses', () => {
  it.each([
    ['create-not-alive.json', /Current state is not alive: STANDBY/, /cryptopipe status/],
    ['create-malformed.json', /Validation of message/, /--dry-run/],
    ['unknown-protocol.json', /Unknown protocol version/, /--dry-run/],
    ['forbidden.html', /answered 403/, /token/],
    ['not-found.html', /answered 404/, /6066/],
    ['method-not-allowed.html', /answered 405/, /6066/],
  ] as const)('by %s has FAILED, and the next is posted at once', async (reply, message, nextStep) => {
    world.master.react('create', { reply }, 1);
    const failure = await failureOf(submitOnce());
    expect(failure).toBeInstanceOf(RefusedError);
    expect(failure.message).toMatch(message);
    expect(failure.nextStep).toMatch(nextStep);
    expect(rowOf(first)).toMatchObject({ state: 'FAILED', error: failure.message });
    expect(await submitOnce()).toMatchObject({ outcome: 'submitted', run: { runId: second } });
    expectOneRun();
  });
});

describe('a request that arrives after its client has gone', () => {
  const goneBefore = async (lateMs: number): Promise<void> => {
    world.master.react('create', { way: 'reset', takes: false }, 1);
    await failureOf(submitOnce());
    const at = world.memory.clock.now() + lateMs;
    let isLate = true;
    world.memory.clock.onSleep.push(() => {
      if (!isLate || world.memory.clock.now() < at) return;
      isLate = false;
      world.takeLate(world.master.posted[0]!);
    });
  };

  it.each([0, 5000, 12_000])('is adopted where that is %i ms later', async (lateMs) => {
    await goneBefore(lateMs);
    expect(await submitOnce()).toMatchObject({ run: { runId: first, state: 'RUNNING' } });
    expect(world.postedRunIds).toEqual([first]);
    expectOneRun();
  });

  it('finds its run given up where that is a minute later, and ends', async () => {
    await goneBefore(60_000);
    expect(await submitOnce()).toMatchObject({ outcome: 'submitted', run: { runId: second } });
    await world.memory.clock.sleep(60_000);
    expect(world.liveDrivers).toHaveLength(2);
    await world.memory.clock.sleep(3000);
    expectOneRun();
  });
});

describe('a client that stands still after it has written its run down', () => {
  it('posts nothing when it wakes up: another may have taken its place', async () => {
    const { book, clock } = world.ports;
    const suspended: typeof book.open = async (...run) => {
      const opened = await book.open(...run);
      await clock.sleep(20_000);
      expect(await submitOnce()).toMatchObject({ outcome: 'submitted', run: { runId: second } });
      return opened;
    };
    const standing = Object.assign(Object.create(book) as typeof book, { open: suspended });
    const failure = await failureOf(submit({ ...world.ports, book: standing }, world.memory.options()));
    expect(failure).toMatchObject({ exitCode: 4, nextStep: 'Submit again.' });
    expect(failure.message).toMatch(
      /^Run 20261123t211500-000001 is given up; it was not posted: writing it down took \d+ s \(.*suspended\)$/,
    );
    expect(rowOf(first)?.state).toBe('LOST');
    expect(world.postedRunIds).toEqual([second]);
    expectOneRun();
  });
});

/** Answers about a driver, of the master or of its log, that say nothing about it. */
const silentAnswers: readonly (readonly [string, Reaction])[] = [
  ...lostAnswers.filter(([, { reply }]) => reply?.startsWith('create') !== true && reply !== 'kill-ok.json'),
  ['is a page of 403', { reply: 'forbidden.html' }],
  ['is a page of 404', { reply: 'not-found.html' }],
  ['is another protocol', { reply: 'unknown-protocol.json' }],
  ['is another service', { reply: 'another-service.json' }],
  ['is no leader', { reply: 'status-not-alive.json' }],
  ['is an exception', { reply: 'status-exception.json' }],
  ['has no state', { reply: 'status-without-state.json' }],
  ['is of another driver', { reply: 'status-of-another.json' }],
];

describe('a run that lives, while the status of its driver', () => {
  it.each(silentAnswers)('%s, is shown as it is written down', async (_what, reaction) => {
    await submitOnce();
    const before = rowOf(first);
    world.master.react('status', reaction);
    const { runs, unreachable } = await listRuns(world.ports, { limit: 20 });
    expect(unreachable).toBeInstanceOf(UnreachableError);
    expect(unreachable?.nextStep).toBeDefined();
    expect(runs).toMatchObject([{ runId: first, state: 'RUNNING', driverState: undefined }]);
    expect(await failureOf(submitOnce())).toMatchObject({ exitCode: 4 });
    expect(await failureOf(stop(world.ports, { run: first, kill: true, ...waiting }))).toMatchObject({
      exitCode: 4,
    });
    expect(rowOf(first)).toEqual(before);
    expect(world.postedRunIds).toEqual([first]);
    expectOneRun();
  });
});

describe('a run whose submission id is not known, while the page of the master', () => {
  const reactions = silentAnswers.filter(([, { reply }]) => reply?.startsWith('status') !== true);

  it.each(reactions)('%s, is neither lost nor posted again', async (_what, reaction) => {
    world.master.react('create', { way: 'reset', takes: true }, 1);
    await failureOf(submitOnce());
    await world.memory.clock.sleep(600_000);
    world.memory.book.change(first, { state: 'PENDING', submissionId: undefined });
    world.master.react('json', reaction);
    expect(await failureOf(submitOnce())).toMatchObject({ exitCode: 4 });
    expect((await listRuns(world.ports, { limit: 20 })).unreachable).toBeInstanceOf(UnreachableError);
    expect(rowOf(first)?.state).toBe('PENDING');
    expect(world.postedRunIds).toEqual([first]);
  });
});

describe('a run whose submission id is not known, while the log of the worker', () => {
  it.each([
    ...silentAnswers.filter(([, { reply }]) => reply?.startsWith('status') !== true),
    ['is half a command', { reply: 'log-half-head.txt' }] as const,
    ['cannot be read', { reply: 'log-exception.txt' }] as const,
    ['is not there yet', { reply: 'log-deleted.txt' }] as const,
  ])('%s, is unclear and not posted again', async (_what, reaction) => {
    world.master.react('create', { way: 'reset', takes: true }, 1);
    await failureOf(submitOnce());
    // Before it registers itself, and long after the grace for a request on its way.
    world.memory.book.change(first, { createdAt: new Date(0) });
    world.master.react('log', reaction);
    const { unclear } = await reconcile(world.ports, (await world.ports.book.find(first))!);
    expect(unclear).toBe('driver-20261123211500-0000 has not started yet and may be it');
    expect(rowOf(first)?.state).toBe('PENDING');
    expect(await submitOnce()).toMatchObject({ run: { runId: first, state: 'RUNNING' } });
    expectOneRun();
  });
});

describe('stop --kill', () => {
  const killed = () => stop(world.ports, { run: first, kill: true, ...waiting });

  it.each([...lostAnswers.slice(0, 11), ['is no leader', { reply: 'kill-not-alive.json' }] as const])(
    'changes nothing where the answer to the kill %s',
    async (_what, reaction) => {
      await submitOnce();
      world.master.react('kill', { ...reaction, takes: false }, 1);
      expect(await failureOf(killed())).toMatchObject({ exitCode: 4 });
      expect(rowOf(first)).toMatchObject({ state: 'RUNNING', stopRequestedAt: undefined });
      expectOneRun();
      expect((await killed()).run.state).toBe('KILLED');
      expect(world.liveDrivers).toEqual([]);
    },
  );

  it('that worked without an answer is found out by the next look', async () => {
    await submitOnce();
    world.master.react('kill', { way: 'silence', takes: true }, 1);
    expect(await failureOf(killed())).toMatchObject({ exitCode: 4 });
    expect((await listRuns(world.ports, { limit: 20 })).runs).toMatchObject([{ state: 'KILLED' }]);
  });
});

describe('stop --kill of a run that the master forgot', () => {
  it('does not call it killed while it says that it lives; the job itself can be asked', async () => {
    await submitOnce();
    world.master.cluster.forget();
    const failure = await failureOf(stop(world.ports, { run: first, kill: true, ...waiting }));
    expect(failure).toMatchObject({
      message: expect.stringMatching(/does not know driver-.* still says that it lives$/) as string,
      nextStep: expect.stringContaining(`cryptopipe stop ${first}`) as string,
    });
    expectOneRun();
    const stopped = await stop(world.ports, { run: first, kill: false, ...waiting });
    expect(stopped.run.state).toBe('FINISHED');
    expect(world.liveDrivers).toEqual([]);
  });

  it('writes it down as killed once it has been silent for long', async () => {
    await submitOnce();
    world.master.cluster.end(world.liveDrivers[0]!, 'FAILED');
    world.master.cluster.forget();
    const patient = { ...waiting, timeoutMs: 60_000 };
    expect((await stop(world.ports, { run: first, kill: true, ...patient })).run.state).toBe('KILLED');
  });
});

describe('a master in trouble', () => {
  it('that is no leader for a while is waited for', async () => {
    world.master.cluster.hasRoom = false;
    const steps = [
      () => (world.master.cluster.status = 'STANDBY'),
      () => (world.master.cluster.status = 'ALIVE'),
    ];
    let sleeps = 0;
    world.memory.clock.onSleep.push(() => {
      sleeps += 1;
      if (sleeps === 2 || sleeps === 20) steps.shift()?.();
      const [driver] = world.master.cluster.taken;
      if (sleeps === 25 && driver !== undefined) world.master.cluster.place(driver);
    });
    expect(await submitOnce()).toMatchObject({ outcome: 'submitted', run: { state: 'RUNNING' } });
    expectOneRun();
  });

  it('takes nothing while it is no leader, and nothing is written down', async () => {
    world.master.cluster.status = 'RECOVERING';
    expect(await failureOf(submitOnce())).toMatchObject({
      message: expect.stringContaining('RECOVERING') as string,
    });
    expect(world.rows).toEqual([]);
    expect(world.master.posted).toEqual([]);
  });

  it('that restarted and forgot a run does not end one that says that it lives', async () => {
    await submitOnce();
    world.master.cluster.forget();
    expect(await submitOnce()).toMatchObject({ outcome: 'already running', run: { runId: first } });
    expect(rowOf(first)?.state).toBe('RUNNING');
    expect(world.postedRunIds).toEqual([first]);
  });

  it('that forgot a submission before its answer does not get it twice while it may live', async () => {
    world.master.react('create', { way: 'silence', takes: true }, 1);
    await failureOf(submitOnce());
    world.master.cluster.forget();
    expect(await submitOnce()).toMatchObject({ run: { runId: first, state: 'RUNNING' } });
    expect(world.postedRunIds).toEqual([first]);
  });
});
