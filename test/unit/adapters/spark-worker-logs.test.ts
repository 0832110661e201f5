import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createWorkerLogs } from '../../../src/adapters/spark-worker-logs.js';
import { UnreachableError } from '../../../src/core/errors.js';
import type { LogPlace } from '../../../src/core/ports/worker-logs.js';
import { standIn, type StandIn } from '../../support/rest-stand-in.js';

const reply = (name: string): string =>
  readFileSync(join(import.meta.dirname, '../../fixtures/spark-replies', name), 'utf8');
const logs = createWorkerLogs();
const range = { from: 0, byteLength: 200 };

let worker: StandIn | undefined;

/** A worker that answers everything with this. */
async function answering(text: string, status = 200): Promise<LogPlace> {
  worker = await standIn((_request, response) => response.writeHead(status).end(text));
  const owner = { kind: 'driver', submissionId: 'driver-20261123211839-0000' } as const;
  return { owner, workerUrl: worker.url, stream: 'stdout' };
}

afterEach(() => worker?.close());

describe('a page of a log', () => {
  it('has the numbers of the line before it, and what stands after it', async () => {
    const place = await answering('==== Bytes 17-23 of 61 of /work/driver-1/stdout ====\ngröße');
    expect(await logs.page(place, { from: 17, byteLength: 6 })).toEqual({
      ...{ text: 'größe', from: 17, to: 23, total: 61 },
    });
    expect(worker?.requests).toEqual([
      '/log/?driverId=driver-20261123211839-0000&logType=stdout&offset=17&byteLength=6',
    ]);
  });

  it('of an executor is asked for by application and number', async () => {
    const place = await answering('==== Bytes 0-0 of 0 of /work/app-1/3/stderr ====\n');
    const owner = { kind: 'executor', applicationId: 'app-1', executorId: '3' } as const;
    expect(await logs.page({ ...place, owner, stream: 'stderr' }, range)).toMatchObject({
      total: 0,
      text: '',
    });
    expect(worker?.requests).toEqual([
      '/log/?appId=app-1&executorId=3&logType=stderr&offset=0&byteLength=200',
    ]);
  });

  it.each([
    ['was deleted', reply('log-deleted.txt'), 200, /has no log of driver-.* any more/, false],
    [
      'is renamed at that moment',
      '==== Bytes 0-0 of 0 of /work/x/stdout ====\nError getting logs due to exception: /work/x/stdout (No such file)',
      200,
      /could not read the log/,
      true,
    ],
    [
      'is another server’s page',
      '<html><title>Sign in</title></html>',
      200,
      /no page of a log: Sign in/,
      false,
    ],
    [
      'is an error of the server',
      '<html><title>Error 500</title></html>',
      500,
      /answered 500 .*Error 500/,
      true,
    ],
  ])('that %s is an error', async (_what, text, status, message, retryable) => {
    const failure: unknown = await logs
      .page(await answering(text, status), range)
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UnreachableError);
    expect((failure as UnreachableError).message).toMatch(message);
    expect((failure as UnreachableError).retryable).toBe(retryable);
  });
});

describe('the executors of a worker', () => {
  it('are those that work and those that have ended', async () => {
    const { workerUrl } = await answering(reply('worker.json'));
    expect(await logs.executors(workerUrl)).toEqual([
      { applicationId: 'app-20261124032850-0000', executorId: '0', isEnded: false },
      { applicationId: 'app-20261124032853-0002', executorId: '0', isEnded: true },
    ]);
    expect(worker?.requests).toEqual(['/json/']);
  });

  it('are not guessed from an answer that is none', async () => {
    const { workerUrl } = await answering('<html><title>Sign in</title></html>');
    await expect(logs.executors(workerUrl)).rejects.toThrow(/not as a worker does: Sign in/);
  });
});
