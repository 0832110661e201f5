import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSparkCluster } from '../../../src/adapters/spark-cluster.js';
import { CryptopipeError, RefusedError, UnreachableError } from '../../../src/core/errors.js';
import type { SparkCluster } from '../../../src/core/ports/spark.js';
import { submissionRequest } from '../../../src/core/submission.js';
import type { ReplyFile } from '../../support/fake-master/replies.js';
import type { Endpoint, Reaction } from '../../support/fake-master/reactions.js';
import { startFakeMaster, type FakeMaster } from '../../support/fake-master/server.js';
import { cluster, streamingWork } from '../../support/submission-world.js';

const request = submissionRequest(
  { work: streamingWork, runId: '20261123t211500-ab12cd', hdfsRoot: 'hdfs://nn' },
  cluster,
);

let master: FakeMaster;
let spark: SparkCluster;
/** A driver that runs already, with its log. */
let driver: string;

beforeEach(async () => {
  master = await startFakeMaster();
  spark = createSparkCluster({ restUrl: master.url, uiUrl: master.url, timeoutMs: 600 });
  driver = master.cluster.submit(request).id;
});
afterEach(() => master.close());

/** Every call of the port, by the endpoint whose reaction is under test. */
const calls: readonly (readonly [string, Endpoint, () => Promise<unknown>])[] = [
  ['create', 'create', () => spark.create(request)],
  ['driver', 'status', () => spark.driver(driver)],
  ['kill', 'kill', () => spark.kill(driver)],
  ['isReady', 'readyz', () => spark.isReady()],
  ['master', 'json', () => spark.master()],
  ['launchCommand', 'log', () => spark.launchCommand(driver)],
  ['driverLog', 'log', () => spark.driverLog(driver, 'stdout', 100)],
];

/** What a caller can tell: the class, whether a later try may help; or the value. */
async function outcomeOf(work: Promise<unknown>): Promise<string> {
  try {
    const value = await work;
    return value === undefined ? 'undefined' : JSON.stringify(value);
  } catch (error) {
    expect(error).toBeInstanceOf(CryptopipeError);
    expect((error as CryptopipeError).exitCode).toBe(4);
    const { retryable } = error as UnreachableError;
    return `${error instanceof RefusedError ? 'refused' : 'unreachable'}${retryable ? '' : ' for good'}`;
  }
}

const failureOf = async (work: Promise<unknown>): Promise<UnreachableError> => {
  const failure: unknown = await work.catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(UnreachableError);
  return failure as UnreachableError;
};

describe.each(calls)('%s', (_name, endpoint, call) => {
  it.each(['silence', 'reset', 'half', 'slow', 'endless', 'garbage'] as const)(
    'knows nothing after an answer that goes the way of %s, and never asks twice',
    async (way) => {
      master.react(endpoint, { way });
      const failure = await failureOf(call());
      expect(failure).not.toBeInstanceOf(RefusedError);
      expect(failure).toMatchObject({ retryable: true, exitCode: 4 });
      expect(failure.message).toMatch(
        /at http:\/\/127\.0\.0\.1:\d+ (did not answer: (it took more than 600 ms|ECONNRESET|HPE_)|did not finish its answer: (ECONNRESET|it is longer than|it took more than 600 ms))/,
      );
      expect(failure.nextStep).toBeDefined();
      expect(master.requests.filter((one) => one === endpoint)).toHaveLength(1);
    },
  );

  it('is only late where the answer comes in time', async () => {
    master.react(endpoint, { answersAfterMs: 50 });
    expect(await outcomeOf(call())).not.toMatch(/refused|unreachable/);
  });
});

describe('an answer of the wrong kind', () => {
  const expected: Readonly<Partial<Record<ReplyFile, Readonly<Record<string, string>>>>> = {
    'forbidden.html': row('refused for good', 'refused for good', 'unreachable for good'),
    'not-found.html': row('refused for good', 'refused for good', 'unreachable for good'),
    'method-not-allowed.html': row('refused for good', 'refused for good', 'unreachable for good'),
    'unknown-protocol.json': row('refused for good', 'refused for good', 'unreachable for good'),
    'create-malformed.json': row('refused for good', 'refused for good', 'unreachable for good'),
    // Above 500 nobody knows whether it acted before it failed.
    'number-format.html': row('unreachable', 'unreachable', 'unreachable'),
    'bad-gateway.html': row('unreachable', 'unreachable', 'unreachable'),
    'unavailable.html': row('unreachable', 'unreachable', 'unreachable'),
    'readyz-standby.json': row('unreachable', 'unreachable', 'unreachable'),
    'login.html': row('unreachable for good', 'unreachable for good', 'unreachable for good'),
    'another-service.json': row('unreachable for good', 'unreachable for good', 'unreachable for good'),
    'empty.txt': row('unreachable for good', 'unreachable for good', 'unreachable for good'),
  };

  function row(create: string, others: string, json: string): Readonly<Record<string, string>> {
    return { create, driver: others, kill: others, isReady: 'false', master: json };
  }

  it.each(Object.keys(expected) as ReplyFile[])('%s', async (reply) => {
    const seen: Record<string, string> = {};
    for (const [name, endpoint, call] of calls.slice(0, 5)) {
      master.react(endpoint, { reply });
      seen[name] = await outcomeOf(call());
    }
    expect(seen).toEqual(expected[reply]);
  });

  it.each([
    ['forbidden.html', /wants a token/],
    ['login.html', /names Spark's REST port \(6066\)/],
    ['unknown-protocol.json', /--dry-run/],
    ['another-service.json', /names Spark's REST port/],
    ['bad-gateway.html', /names Spark's REST port/],
  ] as const)('%s says what to do next', async (reply, nextStep) => {
    master.react('status', { reply });
    expect((await failureOf(spark.driver(driver))).nextStep).toMatch(nextStep);
  });

  it.each([
    ['login.html', /SPARK_UI_URL names the web page/],
    ['unavailable.html', /may be starting/],
  ] as const)('%s of the master says what to do next', async (reply, nextStep) => {
    master.react('json', { reply });
    expect((await failureOf(spark.master())).nextStep).toMatch(nextStep);
  });
});

describe('half an answer that looks whole', () => {
  it.each(calls.slice(0, 3))('%s may be asked again', async (_name, endpoint, call) => {
    master.react(endpoint, { way: 'half without length' });
    expect(await outcomeOf(call())).toBe('unreachable');
  });

  it('of the master may be asked again too', async () => {
    master.react('json', { way: 'half without length' });
    expect(await outcomeOf(spark.master())).toBe('unreachable');
  });
});

describe('an answer of its own kind', () => {
  const table: readonly (readonly [ReplyFile, string, RegExp | undefined])[] = [
    ['create-ok.json', '"driver-20261123211839-0000"', undefined],
    ['create-not-alive.json', 'refused', /Current state is not alive: STANDBY/],
    // Neither an id nor a no: a driver may run.
    ['create-without-id.json', 'unreachable', /does not say whether it took the submission/],
    ['create-without-success.json', 'unreachable', /does not say whether it took the submission/],
    ['create-refused-with-id.json', 'unreachable', /Exception while answering/],
    ['create-unknown-fields.json', 'unreachable for good', /does not know foo/],
    ['kill-ok.json', 'unreachable for good', /KillSubmissionResponse where CreateSubmissionResponse was due/],
  ];

  it.each(table)('%s of a submission', async (reply, outcome, message) => {
    master.react('create', { reply });
    expect(await outcomeOf(spark.create(request))).toBe(outcome);
    if (message !== undefined) expect((await failureOf(spark.create(request))).message).toMatch(message);
  });

  it.each([
    ['status-running.json', 'RUNNING'],
    ['status-new-state.json', 'HIBERNATING'],
    ['status-error.json', 'ERROR'],
    ['status-unknown-id.json', 'unreachable'],
    ['status-not-alive.json', 'unreachable'],
    ['status-exception.json', 'unreachable'],
    ['status-without-state.json', 'unreachable'],
    ['status-of-another.json', 'unreachable'],
    ['kill-unknown-id.json', 'unreachable for good'],
    ['create-not-alive.json', 'unreachable for good'],
  ] as const)('%s of driver-1: its state, or nothing known', async (reply, outcome) => {
    master.react('status', { reply });
    const seen = await outcomeOf(spark.driver('driver-1').then(({ driverState }) => driverState ?? 'gone'));
    expect(seen.replaceAll('"', '')).toBe(outcome);
  });

  it('status-unknown-id.json of that id: gone, which nothing else is', async () => {
    master.react('status', { reply: 'status-unknown-id.json' });
    expect((await spark.driver('nope')).driverState).toBeUndefined();
  });

  it.each([
    ['kill-ok.json', 'true'],
    ['kill-unknown-id.json', 'false'],
    ['kill-not-alive.json', 'unreachable'],
    ['create-without-success.json', 'unreachable for good'],
  ] as const)('%s of a kill', async (reply, outcome) => {
    master.react('kill', { reply });
    expect(await outcomeOf(spark.kill(driver))).toBe(outcome);
  });

  it.each([
    ['log-stderr-head.txt', /"--run-id" "20261123t211500-ab12cd"$/],
    // Not written to its end: what it does not name may still come.
    ['log-half-head.txt', undefined],
    ['log-exception.txt', undefined],
    ['login.html', undefined],
  ] as const)('%s of a launch command', async (reply, command) => {
    master.react('log', { reply });
    const seen = await spark.launchCommand(driver).catch(() => undefined);
    if (command === undefined) expect(seen).toBeUndefined();
    else expect(seen).toMatch(command);
  });
});

describe('the fake master answers as a real one', () => {
  it('takes a submission, shows its driver, its command and its end', async () => {
    const id = await spark.create(request);
    expect((await spark.master()).drivers.at(-1)).toMatchObject({ id, state: 'RUNNING' });
    expect(await spark.launchCommand(id)).toContain('"--run-id" "20261123t211500-ab12cd"');
    expect(await spark.kill(id)).toBe(true);
    expect(await spark.kill(id)).toBe(false);
    expect((await spark.driver(id)).driverState).toBe('KILLED');
  });

  it('says so in every call while it does not lead', async () => {
    master.cluster.status = 'STANDBY';
    expect(await outcomeOf(spark.create(request))).toBe('refused');
    expect(await outcomeOf(spark.driver(driver))).toBe('unreachable');
    expect(await outcomeOf(spark.kill(driver))).toBe('unreachable');
    expect(await spark.isReady()).toBe(false);
    expect((await spark.master()).status).toBe('STANDBY');
  });

  it('forgets what it knew in a restart', async () => {
    master.cluster.forget();
    expect((await spark.driver(driver)).driverState).toBeUndefined();
    expect((await spark.master()).drivers).toEqual([]);
  });

  it('gives what it takes late to a client that has gone', async () => {
    const reaction: Reaction = { takesAfterMs: 1200 };
    master.react('create', reaction, 1);
    expect(await outcomeOf(spark.create(request))).toBe('unreachable');
    expect(master.cluster.taken).toHaveLength(1);
    await expect.poll(() => master.cluster.taken.length, { timeout: 10_000 }).toBe(2);
  });
});
