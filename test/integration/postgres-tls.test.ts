import { chmodSync, chownSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createPool, queryRows, type PostgresAddress } from '../../src/adapters/postgres.js';
import type { PostgresTls } from '../../src/postgres/postgres-tls.js';
import { query, startPostgres, type TestPostgres } from '../support/postgres.js';

let server: TestPostgres;
let address: PostgresAddress;
const folder = mkdtempSync(join(tmpdir(), 'postgres-tls-'));

beforeAll(async () => {
  server = await startPostgres();
  address = await server.database();
}, 120_000);
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await server.stop();
});

/** Whether the connection is encrypted, as the server sees it. */
async function isEncrypted(tls: PostgresTls, host = address.host): Promise<boolean> {
  const pool = createPool({ ...address, host, tls });
  try {
    const [row] = await queryRows<{ ssl: boolean }>(
      pool,
      'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
    );
    return row?.ssl === true;
  } finally {
    await pool.end();
  }
}

/** A certificate for `localhost` that signs itself, and another one that signs nothing of this server. */
async function certificate(name: string): Promise<{ readonly cert: string; readonly key: string }> {
  const [cert, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  await execa('openssl', [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    ...subject,
    '-keyout',
    key,
    '-out',
    cert,
  ]);
  return { cert, key };
}

it('without TLS on the server: no encryption by disable, and a refusal in words by require', async () => {
  expect(await isEncrypted({ mode: 'disable', rootCertificate: undefined })).toBe(false);
  await expect(isEncrypted({ mode: 'require', rootCertificate: undefined })).rejects.toMatchObject({
    exitCode: 3,
    message: expect.stringContaining(
      'was not connected to: it has no TLS, and PGSSLMODE asks for it',
    ) as string,
    nextStep: expect.stringContaining('PGSSLMODE') as string,
  });
});

it('with TLS on the server, each mode checks what libpq says', async () => {
  const [own, other] = [await certificate('own'), await certificate('other')];
  const [row] = await query(address, 'SHOW data_directory');
  const data = String(row?.['data_directory']);
  const { uid, gid } = statSync(data);
  chmodSync(folder, 0o755);
  for (const [file, mode] of [
    [own.key, 0o600],
    [own.cert, 0o644],
  ] as const) {
    chownSync(file, uid, gid);
    chmodSync(file, mode);
  }
  for (const [name, value] of [
    ['ssl_cert_file', own.cert],
    ['ssl_key_file', own.key],
    ['ssl', 'on'],
  ])
    await query(address, `ALTER SYSTEM SET ${name} = '${value}'`);
  await query(address, 'SELECT pg_reload_conf()');
  const require: PostgresTls = { mode: 'require', rootCertificate: undefined };
  await expect.poll(() => isEncrypted(require).catch(String), { timeout: 10_000 }).toBe(true);

  expect(await isEncrypted({ mode: 'disable', rootCertificate: undefined })).toBe(false);
  expect(await isEncrypted({ mode: 'verify-ca', rootCertificate: own.cert }, '127.0.0.1')).toBe(true);
  expect(await isEncrypted({ mode: 'verify-full', rootCertificate: own.cert }, 'localhost')).toBe(true);
  for (const mode of ['require', 'verify-ca', 'verify-full'] as const)
    await expect(isEncrypted({ mode, rootCertificate: other.cert }, 'localhost')).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringContaining('its certificate is not accepted') as string,
    });
  await expect(
    isEncrypted({ mode: 'verify-full', rootCertificate: own.cert }, '127.0.0.1'),
  ).rejects.toMatchObject({
    exitCode: 3,
    message: expect.stringContaining('ERR_TLS_CERT_ALTNAME_INVALID') as string,
  });
  await expect(
    isEncrypted({ mode: 'verify-ca', rootCertificate: 'system' }, 'localhost'),
  ).rejects.toMatchObject({
    exitCode: 3,
  });
}, 60_000);

it('a file of certificates that is not there is a wrong configuration', async () => {
  await expect(isEncrypted({ mode: 'verify-ca', rootCertificate: '/nonexistent' })).rejects.toMatchObject({
    exitCode: 3,
    message: expect.stringContaining('PGSSLROOTCERT: ENOENT') as string,
  });
});
