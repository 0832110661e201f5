import { expect, it } from 'vitest';
import { loadConfig } from '../../src/config.js';
import { connectionValues } from '../../src/core/connection-values.js';

const load = (environment: Record<string, string>) =>
  loadConfig({}, { HOME: '/home/me', ...environment }, '/nonexistent/.env').postgres;
const jdbc = 'jdbc:postgresql://localhost:5432/crypto';

it.each([
  [{}, ['disable', undefined], [undefined, undefined]],
  [{ PGSSLMODE: 'require' }, ['require', undefined], ['require', undefined]],
  [{ PGSSLMODE: 'verify-full', PGSSLROOTCERT: '/ca' }, ['verify-full', '/ca'], ['verify-full', '/ca']],
  [
    { POSTGRES_JDBC_URL: `${jdbc}?sslmode=verify-ca&sslrootcert=/ca` },
    ['verify-ca', '/ca'],
    ['verify-ca', '/ca'],
  ],
  [
    { POSTGRES_JDBC_URL: `${jdbc}?sslrootcert=/of/workers`, PGSSLMODE: 'verify-ca', PGSSLROOTCERT: '/ca' },
    ['verify-ca', '/ca'],
    ['verify-ca', '/of/workers'],
  ],
])('%j: the command line has %j, the jobs %j', (environment, [mode, root], [jobMode, jobRoot]) => {
  const { tls, jobTls } = load(environment);
  expect(tls).toEqual({ mode, rootCertificate: root });
  expect(jobTls).toEqual({ mode: jobMode, rootCertificate: jobRoot });
});

it.each([
  [{ PGSSLMODE: 'prefer' }, 'PGSSLMODE: is none of disable, require, verify-ca, verify-full'],
  [{ PGSSLMODE: 'verify-full' }, 'PGSSLROOTCERT: is needed by PGSSLMODE verify-full'],
  [{ POSTGRES_JDBC_URL: `${jdbc}?sslmode=allow` }, 'POSTGRES_JDBC_URL: has the sslmode allow'],
  [
    { POSTGRES_JDBC_URL: `${jdbc}?sslmode=require`, PGSSLMODE: 'disable' },
    'PGSSLMODE is disable and POSTGRES_JDBC_URL has the sslmode require',
  ],
  [{ POSTGRES_JDBC_URL: `${jdbc}?currentSchema=x` }, 'POSTGRES_JDBC_URL: has the parameter currentSchema'],
])('%j is refused: %s', (environment, problem) => {
  expect(() => load(environment as Record<string, string>)).toThrow(problem);
});

it('the jobs get the words of libpq', () => {
  const places = {
    ...{ kafkaServers: 'k', topic: 't', hdfsRoot: 'h', rawPath: 'r', cleanPath: 'c', rejectedPath: 'j' },
    ...{ jdbcUrl: jdbc, postgresUser: 'u' },
  };
  const postgresTls = { mode: 'require', rootCertificate: '/ca' };
  expect(connectionValues({ ...places, postgresTls })).toMatchObject({
    postgres_sslmode: 'require',
    postgres_sslrootcert: '/ca',
  });
  expect(connectionValues(places)).toMatchObject({ postgres_sslmode: '', postgres_sslrootcert: '' });
});
