import { afterEach, describe, expect, it } from 'vitest';
import { translatePostgresError } from '../../../src/postgres/postgres-errors.js';
import { createPool, inTransaction, queryRows } from '../../../src/adapters/postgres.js';
import {
  ConfigError,
  RefusedError,
  UnreachableError,
  type CryptopipeError,
} from '../../../src/core/errors.js';
import { startPostgresStandIn, type PostgresAnswer } from '../../support/postgres-stand-in.js';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function poolOf(answer: PostgresAnswer) {
  const server = await startPostgresStandIn(answer);
  const pool = createPool(server.address);
  closers.push(
    () => server.stop(),
    () => pool.end(),
  );
  return { pool, place: `PostgreSQL at 127.0.0.1:${server.address.port}` };
}

const failureOf = (call: Promise<unknown>): Promise<CryptopipeError> =>
  call.then(
    () => expect.fail('it did not fail'),
    (error: unknown) => error as CryptopipeError,
  );

/** Class of the error, its exit code, whether a background program tries again; undefined for a configuration. */
const meanings = [
  ['08006', UnreachableError, 4, true],
  ['25006', RefusedError, 4, true],
  ['28000', ConfigError, 3, undefined],
  ['28P01', ConfigError, 3, undefined],
  ['3D000', ConfigError, 3, undefined],
  ['3F000', ConfigError, 3, undefined],
  ['40001', UnreachableError, 4, true],
  ['40P01', UnreachableError, 4, true],
  ['42501', ConfigError, 3, undefined],
  ['42P01', ConfigError, 3, undefined],
  ['42P07', ConfigError, 3, undefined],
  ['42883', ConfigError, 3, undefined],
  ['53100', UnreachableError, 4, true],
  ['53200', UnreachableError, 4, true],
  ['53300', UnreachableError, 4, true],
  ['53400', UnreachableError, 4, true],
  ['55P03', UnreachableError, 4, true],
  ['57014', UnreachableError, 4, false],
  ['57P01', UnreachableError, 4, true],
  ['57P03', UnreachableError, 4, true],
  ['57P04', ConfigError, 3, undefined],
  ['58030', RefusedError, 4, false],
  ['XX001', RefusedError, 4, false],
  ['22003', RefusedError, 4, false],
  ['ZZ999', RefusedError, 4, false],
] as const;

describe('an error code of PostgreSQL', () => {
  it.each(meanings)('%s is a failure with a next step', async (code, kind, exitCode, retryable) => {
    const { pool, place } = await poolOf({
      at: 'statement',
      error: { code, message: 'as the server has it' },
    });
    const error = await failureOf(queryRows(pool, 'SELECT 1'));
    expect(error).toBeInstanceOf(kind);
    expect({ name: error.name, exitCode: error.exitCode }).toEqual({ name: kind.name, exitCode });
    expect(error instanceof UnreachableError ? error.retryable : undefined).toBe(retryable);
    expect(error.message).toContain(place);
    expect(error.message).toContain('as the server has it');
    expect(error.message).toContain(code);
    expect(error.nextStep).toMatch(/\w/);
  });

  it('says for an unknown one that the server refused', async () => {
    const { pool, place } = await poolOf({ at: 'statement', error: { code: 'ZZ999', message: 'news' } });
    expect((await failureOf(queryRows(pool, 'SELECT 1'))).message).toBe(`${place} refused: ZZ999 news`);
  });

  it('is translated inside a transaction too', async () => {
    const { pool } = await poolOf({ at: 'statement', error: { code: '25006', message: 'read-only' } });
    expect(await failureOf(inTransaction(pool, () => Promise.resolve()))).toMatchObject({
      name: 'RefusedError',
      retryable: true,
    });
  });

  it('is translated at the login too', async () => {
    const { pool } = await poolOf({
      at: 'login',
      error: { code: '57P03', message: 'the database system is starting up' },
    });
    expect(await failureOf(queryRows(pool, 'SELECT 1'))).toMatchObject({
      name: 'UnreachableError',
      retryable: true,
    });
  });
});

describe('an error of the PostgreSQL client', () => {
  it('is an unreachable server where the connection ends without a word', async () => {
    const { pool, place } = await poolOf({ at: 'login' });
    const error = await failureOf(queryRows(pool, 'SELECT 1'));
    expect(error).toMatchObject({ name: 'UnreachableError', retryable: true });
    expect(error.message).toBe(`${place} did not answer: Connection terminated unexpectedly`);
  });

  const place = { host: 'db', port: 5432, database: 'market', user: 'alice' };
  const coded = (code: string, message = code): Error => Object.assign(new Error(message), { code });

  it.each([
    [new Error('The server does not support SSL connections'), 'ConfigError', 3],
    [coded('DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate'), 'ConfigError', 3],
    [coded('CERT_HAS_EXPIRED'), 'ConfigError', 3],
    [coded('ERR_TLS_CERT_ALTNAME_INVALID'), 'ConfigError', 3],
    [new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'), 'ConfigError', 3],
    [coded('ECONNRESET'), 'UnreachableError', 4],
    [coded('ENOTFOUND'), 'UnreachableError', 4],
    [new Error('Query read timeout'), 'UnreachableError', 4],
    [new Error('a text that nobody has seen before'), 'UnreachableError', 4],
    [new AggregateError([coded('ECONNREFUSED')], ''), 'UnreachableError', 4],
  ])('%s has words and an exit code', (error, name, exitCode) => {
    expect(translatePostgresError(error, place)).toMatchObject({ name, exitCode });
  });

  it('leaves a fault of the program what it is', () => {
    const bug = new TypeError('undefined is not a function');
    expect(translatePostgresError(bug, place)).toBe(bug);
  });
});
