import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createSparkCluster } from '../../../src/adapters/spark-cluster.js';
import { RefusedError, UnreachableError } from '../../../src/core/errors.js';
import type { SubmissionRequest } from '../../../src/core/ports/spark.js';
import { submissionRequest } from '../../../src/core/submission.js';
import { standIn, type StandIn } from '../../support/rest-stand-in.js';
import { cluster, streamingWork } from '../../support/submission-world.js';

const folder = join(import.meta.dirname, '../../fixtures/spark-replies');
const reply = (name: string): string => readFileSync(join(folder, name), 'utf8');
const request: SubmissionRequest = submissionRequest(
  { work: streamingWork, runId: '20261123t211500-ab12cd', hdfsRoot: 'hdfs://nn' },
  cluster,
);

let server: StandIn | undefined;

/** A cluster that answers every call with one recorded reply; `{url}` in it is the server's own address. */
async function answering(status: number, name: string) {
  server = await standIn((_request, response) => {
    response.writeHead(status).end(reply(name).replaceAll('{url}', server?.url ?? ''));
  });
  return createSparkCluster({ restUrl: server.url, uiUrl: server.url });
}

/** A cluster that answers each path that begins so with its own reply. */
async function answeringEach(replies: Readonly<Record<string, string>>) {
  server = await standIn((_request, response, url) => {
    const found = Object.entries(replies).find(([path]) => `${url.pathname}${url.search}`.startsWith(path));
    response.writeHead(found === undefined ? 404 : 200);
    response.end(found === undefined ? '' : reply(found[1]).replaceAll('{url}', server?.url ?? ''));
  });
  return createSparkCluster({ restUrl: server.url, uiUrl: server.url });
}

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  );

afterEach(() => server?.close());

describe('create', () => {
  it('returns the id that Spark gave', async () => {
    const spark = await answering(200, 'create-ok.json');
    expect(await spark.create(request)).toBe('driver-20261123211839-0000');
    expect(server?.requests).toEqual(['/v1/submissions/create']);
  });

  it.each([
    ['200 with success:false', 200, 'create-not-alive.json', /Current state is not alive: STANDBY/],
    ['400 for a body that is not valid', 400, 'create-malformed.json', /Validation of message .* failed!$/],
    ['403 as a page of HTML', 403, 'forbidden.html', /answered 403 and no JSON: Error 403 Invalid/],
    ['405 as a page of HTML', 405, 'method-not-allowed.html', /405 and no JSON: Error 405 HTTP method GET/],
    ['468 for another protocol', 468, 'unknown-protocol.json', /Unknown protocol version 'v2'/],
  ])('takes %s for a refusal: nothing was started', async (_what, status, name, message) => {
    const spark = await answering(status, name);
    const failure = await failureOf(spark.create(request));
    expect(failure).toBeInstanceOf(RefusedError);
    expect((failure as RefusedError).message).toMatch(message);
    expect(server?.requests).toHaveLength(1);
  });

  it.each([
    ['500 as a page of HTML', 500, 'number-format.html', /NumberFormatException: For input string: "1.5"/],
    ['unknown fields, though it succeeded', 200, 'create-unknown-fields.json', /does not know foo/],
    ['200 and something else', 200, 'forbidden.html', /no JSON/],
  ])('does not call %s a refusal: a driver may run', async (_what, status, name, message) => {
    const spark = await answering(status, name);
    const failure = await failureOf(spark.create(request));
    expect(failure).toBeInstanceOf(UnreachableError);
    expect(failure).not.toBeInstanceOf(RefusedError);
    expect((failure as UnreachableError).message).toMatch(message);
  });

  it('takes a refused connection for a refusal, and a broken one not', async () => {
    const spark = await answering(200, 'create-ok.json');
    await server?.close();
    expect(await failureOf(spark.create(request))).toBeInstanceOf(RefusedError);
    server = await standIn((_request, response) => response.destroy());
    const broken = await failureOf(
      createSparkCluster({ restUrl: server.url, uiUrl: server.url }).create(request),
    );
    expect(broken).toBeInstanceOf(UnreachableError);
    expect(broken).not.toBeInstanceOf(RefusedError);
  });

  it('gives up when the caller does', async () => {
    server = await standIn(() => undefined);
    const spark = createSparkCluster({ restUrl: server.url, uiUrl: server.url });
    const failure = await failureOf(spark.create(request, AbortSignal.timeout(50)));
    expect(failure).toBeInstanceOf(UnreachableError);
    expect(failure).not.toBeInstanceOf(RefusedError);
  });
});

describe('a server that wants signed calls', () => {
  const keyFile = '/data/spark-rest.key';
  const forbidding = async (token: string | undefined) => {
    const headers: (string | undefined)[] = [];
    let count = 0;
    server = await standIn(({ headers: { authorization } }, response) => {
      headers.push(authorization);
      response.writeHead(403).end(reply('forbidden.html'));
    });
    const restAccess = { token: () => token && `${token}-${(count += 1)}`, keyFile };
    return {
      headers,
      spark: createSparkCluster({ restUrl: server.url, uiUrl: server.url, restAccess }),
    };
  };

  it('gets a new token with each call, and only there', async () => {
    const { headers, spark } = await forbidding('token');
    await failureOf(spark.create(request));
    await failureOf(spark.driver('driver-1'));
    await failureOf(spark.kill('driver-1'));
    await spark.isReady();
    await failureOf(spark.master());
    expect(headers).toEqual([...[1, 2, 3, 4].map((n) => `Bearer token-${n}`), undefined]);
  });

  it.each([
    [undefined, /^It wants a token: set SPARK_REST_KEY or SPARK_REST_KEY_FILE .*\/data\/spark-rest\.key/],
    ['token', /^It does not take our token: set SPARK_REST_KEY .* both clocks agree to the minute\.$/],
  ])('says what to do about a 403 to the token %s', async (token, nextStep) => {
    const { spark } = await forbidding(token);
    const failure = (await failureOf(spark.driver('driver-1'))) as RefusedError;
    expect(failure).toBeInstanceOf(RefusedError);
    expect(failure.nextStep).toMatch(nextStep);
  });
});

describe('driver', () => {
  it.each([
    ['status-submitted.json', 'SUBMITTED', undefined],
    ['status-running.json', 'RUNNING', 'worker-20261123211804-127.0.0.1-20078'],
    ['status-failed.json', 'FAILED', 'worker-20261123211804-127.0.0.1-20078'],
    ['status-killed.json', 'KILLED', undefined],
  ])('reads %s', async (name, driverState, workerId) => {
    const spark = await answering(200, name);
    expect(await spark.driver('driver-1')).toMatchObject({ driverState, workerId });
    expect(server?.requests).toEqual(['/v1/submissions/status/driver-1']);
  });

  it('has no state for an id that the master does not know', async () => {
    const spark = await answering(200, 'status-unknown-id.json');
    expect((await spark.driver('nope')).driverState).toBeUndefined();
  });

  it('is not gone when the master is only not the leader', async () => {
    const spark = await answering(200, 'status-not-alive.json');
    expect(await failureOf(spark.driver('driver-1'))).toBeInstanceOf(UnreachableError);
  });
});

describe('kill', () => {
  it.each([
    ['kill-ok.json', true],
    ['kill-unknown-id.json', false],
  ])('reads %s', async (name, wasSent) => {
    const spark = await answering(200, name);
    expect(await spark.kill('driver-1')).toBe(wasSent);
  });
});

describe('isReady', () => {
  it.each([
    [200, 'readyz.json', true],
    [503, 'readyz-standby.json', false],
  ])('answers for %d', async (status, name, isReady) => {
    const spark = await answering(status, name);
    expect(await spark.isReady()).toBe(isReady);
  });
});

describe('master', () => {
  it('reads workers, drivers and applications, the ended ones too', async () => {
    const spark = await answering(200, 'master.json');
    const master = await spark.master();
    expect(master).toMatchObject({ status: 'ALIVE', url: 'spark://127.0.0.1:20077' });
    expect(master.workers).toMatchObject([{ state: 'ALIVE', cores: 4, coresFree: 1, memoryFreeMb: 2048 }]);
    expect(master.drivers).toEqual([
      { id: 'driver-20261123211906-0002', state: 'SUBMITTED', workerId: undefined },
      {
        id: 'driver-20261123211839-0000',
        state: 'FINISHED',
        workerId: 'worker-20261123211804-127.0.0.1-20078',
      },
    ]);
    expect(master.apps.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'CryptoStreamingJob-20261123t211600-ab12ce RUNNING',
      'CryptoStreamingJob-20261123t211500-ab12cd FINISHED',
    ]);
    expect(master.apps[0]?.pageUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/app\/\?appId=app-\d+-\d+$/);
  });

  it('names the setting where something else answers', async () => {
    const spark = await answering(200, 'forbidden.html');
    const failure = await failureOf(spark.master());
    expect(failure).toMatchObject({ nextStep: expect.stringContaining('SPARK_UI_URL') as string });
  });
});

describe('the log of a driver', () => {
  const driver = 'driver-20261123211839-0000';

  it('comes from the worker that ran it, without the line that the page puts before it', async () => {
    const spark = await answeringEach({ '/json/': 'master.json', '/log/': 'log-stdout.txt' });
    expect(await spark.driverLog(driver, 'stdout', 200)).toBe('count 10\nValueError: asked to fail\n');
    expect(server?.requests.at(-1)).toBe(`/log/?driverId=${driver}&logType=stdout&byteLength=200`);
  });

  it('that was deleted is not an empty one', async () => {
    const spark = await answeringEach({ '/json/': 'master.json', '/log/': 'log-deleted.txt' });
    expect(await failureOf(spark.driverLog(driver, 'stdout', 200))).toMatchObject({
      message: expect.stringContaining('has no log of driver-20261123211839-0000 any more') as string,
    });
  });

  it('begins with the command it was started with, in which the run id stands', async () => {
    const spark = await answeringEach({ '/json/': 'master.json', '/log/': 'log-stderr-head.txt' });
    expect(await spark.launchCommand(driver)).toMatch(/^"java" .*"--run-id" "20261123t211500-ab12cd"$/);
    expect(server?.requests.at(-1)).toContain('offset=0');
  });

  it('is not there while no worker has taken the driver', async () => {
    const spark = await answeringEach({ '/json/': 'master.json' });
    expect(await spark.launchCommand('driver-20261123211906-0002')).toBeUndefined();
    expect(await failureOf(spark.driverLog('driver-20261123211906-0002', 'stdout', 9))).toBeInstanceOf(
      UnreachableError,
    );
  });
});
