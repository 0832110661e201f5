import { describe, expect, it } from 'vitest';
import { ConfigError, UnreachableError } from '../../../src/core/errors.js';
import { stackSettings } from '../../../src/compose.js';
import { loadConfig } from '../../../src/config.js';
import { prepareAirflowDatabase } from '../../../src/stack/airflow-database.js';
import { postgresServer } from '../../../src/stack/postgres.js';
import type { StackSettings } from '../../../src/stack/settings.js';
import { startPostgresStandIn, type PostgresAnswer } from '../../support/postgres-stand-in.js';

const binaries = { binFolder: '/bin', version: '18.4', dataFolder: '/data/postgres', user: undefined };

/** The error of one call to a PostgreSQL that answers so. */
async function errorOf(
  answer: PostgresAnswer,
  call: (settings: StackSettings) => Promise<void>,
): Promise<unknown> {
  const standIn = await startPostgresStandIn(answer);
  const settings = stackSettings(loadConfig({}, {}, '/nonexistent/.env'));
  const ports = { ...settings.ports, postgres: standIn.address.port };
  try {
    return await call({ ...settings, ports }).then(
      () => expect.fail('it was ready'),
      (error: unknown) => error,
    );
  } finally {
    await standIn.stop();
  }
}
const checkReady = (settings: StackSettings): Promise<void> =>
  postgresServer(settings, binaries).checkReady(AbortSignal.timeout(10_000));
const refusal = (code: string, at: PostgresAnswer['at'] = 'login'): PostgresAnswer => ({
  ...{ at, error: { code, message: 'no' } },
});

describe('what PostgreSQL answers to `stack up`', () => {
  it.each([
    ['57P03', 'is starting, stopping or restarting, for'],
    ['53100', 'has no space left on its disk, for'],
  ])('%s can pass', async (code, words) => {
    const error = await errorOf(refusal(code), checkReady);
    expect(error).toBeInstanceOf(UnreachableError);
    expect(error).toMatchObject({ retryable: true });
    expect((error as Error).message).toMatch(
      new RegExp(`^PostgreSQL at 127.0.0.1:\\d+ ${words} crypto@crypto: no \\(${code}\\)$`),
    );
  });

  it('a closed connection can pass', async () => {
    const error = await errorOf({ at: 'login' }, checkReady);
    expect(error).toBeInstanceOf(UnreachableError);
    expect(error).toMatchObject({ retryable: true });
  });

  it('a password of another value ends the wait', async () => {
    const error = await errorOf(refusal('28P01'), checkReady);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as Error).message).toBe('PostgreSQL does not accept the password of role crypto');
  });

  it('a right that is missing for the database of Airflow is no bug of ours', async () => {
    const error = await errorOf(refusal('42501', 'statement'), (settings) =>
      prepareAirflowDatabase(settings, 'x'),
    );
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as Error).message).toMatch(
      /does not give the necessary right to crypto@postgres: no \(42501\)$/,
    );
  });
});
