import { afterEach, describe, expect, it } from 'vitest';
import { patientCalls, type Patience } from '../../../src/adapters/patience.js';
import { createPool, inTransaction, queryRows } from '../../../src/adapters/postgres.js';
import { createSparkCluster } from '../../../src/adapters/spark-cluster.js';
import { systemClock } from '../../../src/adapters/system-clock.js';
import { createWebHdfs } from '../../../src/adapters/webhdfs.js';
import { RefusedError, UnreachableError } from '../../../src/core/errors.js';
import { Outages } from '../../../src/core/outages.js';
import { startPostgresStandIn, type PostgresAnswer } from '../../support/postgres-stand-in.js';
import { standIn, type Handler } from '../../support/rest-stand-in.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function patience(): Patience & { readonly lines: string[] } {
  const outages = new Outages();
  const lines: string[] = [];
  outages.listen({ onBegin: ({ system }) => lines.push(`${system} away`), onEnd: () => lines.push('back') });
  return { clock: new VirtualClock(), outages, giveUpAfterMs: 10_000, lines };
}

async function server(handler: Handler) {
  const opened = await standIn(handler);
  closers.push(() => opened.close());
  return opened;
}

/** Fails the first calls in this way. */
const failing = (times: number, failure: Handler, then: Handler): Handler => {
  let calls = 0;
  return (request, response, url) => (calls++ < times ? failure : then)(request, response, url);
};

const breaksOff: Handler = (request) => request.socket.destroy();
const safeMode: Handler = (_request, response) =>
  response
    .writeHead(403)
    .end('{"RemoteException":{"exception":"SafeModeException","message":"Name node is in safe mode."}}');
const yes: Handler = (_request, response) => response.end('{"boolean":true}');

describe('patientCalls', () => {
  it('waits for a dead server only once', async () => {
    const given = patience();
    const calls = patientCalls('hdfs', given);
    let tries = 0;
    const dead = (): Promise<void> => {
      tries++;
      return Promise.reject(new UnreachableError('refused'));
    };
    await expect(calls.repeatable(dead)).rejects.toThrow('refused');
    const first = tries;
    expect(first).toBeGreaterThan(3);
    await expect(calls.repeatable(dead)).rejects.toThrow('refused');
    expect(tries).toBe(first + 1);
    expect(await calls.repeatable(() => Promise.resolve('here'))).toBe('here');
    await expect(calls.repeatable(dead)).rejects.toThrow('refused');
    expect(tries).toBeGreaterThan(first + 3);
    expect(given.lines).toEqual(['hdfs away', 'back', 'hdfs away']);
  });

  it('makes a call that was perhaps carried out only once', async () => {
    const calls = patientCalls('spark', patience());
    let tries = 0;
    const fail = (error: Error) => (): Promise<never> => {
      tries++;
      return Promise.reject(error);
    };
    await expect(calls.once(fail(new UnreachableError('broke off')))).rejects.toThrow('broke off');
    expect(tries).toBe(1);
    await expect(calls.once(fail(new RefusedError('busy')))).rejects.toThrow('busy');
    expect(tries).toBeGreaterThan(3);
  });
});

describe('the clients', () => {
  it('wait for a NameNode in safe mode', async () => {
    const { url, requests } = await server(failing(2, safeMode, yes));
    await createWebHdfs({ webUrl: url, user: 'alice', patience: patience() }).makeFolder('/jobs');
    expect(requests).toHaveLength(3);
  });

  it('do not move a file a second time after a connection that broke', async () => {
    const { url, requests } = await server(failing(1, breaksOff, yes));
    const files = createWebHdfs({ webUrl: url, user: 'alice', patience: patience() });
    await expect(files.rename('/a', '/b')).rejects.toThrow('did not answer');
    expect(requests).toHaveLength(1);
  });

  it('read a status again, and post a submission once', async () => {
    const state = '{"action":"SubmissionStatusResponse","success":true,"driverState":"RUNNING"}';
    const { url, requests } = await server(
      failing(1, breaksOff, (_request, response) => response.end(state)),
    );
    const spark = createSparkCluster({ restUrl: url, uiUrl: url, patience: patience() });
    expect(await spark.driver('driver-1')).toMatchObject({ driverState: 'RUNNING' });
    expect(requests).toHaveLength(2);

    // A master that does not lead has not taken it; yet after the time of one POST another call may post its own.
    const standby = await server((_request, response) =>
      response.end('{"action":"CreateSubmissionResponse","success":false,"message":"not ALIVE"}'),
    );
    const early = createSparkCluster({ restUrl: standby.url, uiUrl: standby.url, patience: patience() });
    await expect(early.create({} as Parameters<typeof early.create>[0])).rejects.toThrow('not ALIVE');
    expect(standby.requests).toHaveLength(1);

    const broken = await server(breaksOff);
    const other = createSparkCluster({ restUrl: broken.url, uiUrl: broken.url, patience: patience() });
    await expect(other.create({} as Parameters<typeof other.create>[0])).rejects.toThrow('did not answer');
    expect(broken.requests).toHaveLength(1);
  });

  it('do not repeat a rename after the 502 of a gateway, which does not show what HDFS did', async () => {
    const gateway: Handler = (_request, response) => response.writeHead(502).end('<html>Bad Gateway</html>');
    const { url, requests } = await server(failing(1, gateway, yes));
    const files = createWebHdfs({ webUrl: url, user: 'alice', patience: patience() });
    await expect(files.rename('/a', '/b')).rejects.toThrow('502');
    expect(requests).toHaveLength(1);
    await files.makeFolder('/jobs');
  });

  it('connect again to a PostgreSQL that takes a connection and does not answer', async () => {
    // A try ends after 5 s of real time.
    const real = { ...patience(), clock: systemClock, giveUpAfterMs: 6000 };
    const { pool, connections } = await warehouse({ at: 'login', error: 'hang' }, real);
    await expect(queryRows(pool, 'SELECT 1')).rejects.toThrow('did not answer');
    expect(connections()).toBe(2);
  });

  async function warehouse(answer: PostgresAnswer, given = patience()) {
    const started = await startPostgresStandIn(answer);
    let connections = 0;
    started.server.on('connection', () => connections++);
    const pool = createPool(started.address, 5000, given);
    closers.push(
      () => started.stop(),
      () => pool.end(),
    );
    return { pool, connections: () => connections };
  }

  it('run a statement again while PostgreSQL starts', async () => {
    const error = { code: '57P03', message: 'the database system is starting up' };
    const { pool, connections } = await warehouse({ at: 'login', error });
    await expect(queryRows(pool, 'SELECT 1')).rejects.toThrow('57P03');
    expect(connections()).toBeGreaterThan(3);
  });

  it('run a transaction again after a rollback of the server, and not after a connection that ended', async () => {
    const refused = await warehouse({ at: 'statement', error: { code: '40001', message: 'serialize' } });
    await expect(inTransaction(refused.pool, () => Promise.resolve())).rejects.toThrow('40001');
    expect(refused.connections()).toBeGreaterThan(3);
    for (const error of [undefined, { code: '57P01', message: 'terminating connection' }]) {
      const ended = await warehouse({ at: 'statement', ...(error === undefined ? {} : { error }) });
      await expect(queryRows(ended.pool, 'SELECT 1')).rejects.toThrow(UnreachableError);
      expect(ended.connections()).toBe(1);
    }
  });
});
