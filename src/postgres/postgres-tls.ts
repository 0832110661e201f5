import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { ConfigError } from '../core/errors.js';

/** How a connection to PostgreSQL is encrypted and whose certificate is taken, in the words of libpq. */
export interface PostgresTls {
  readonly mode: 'disable' | 'require' | 'verify-ca' | 'verify-full';
  /** File of the certificates that are trusted; `system` means those of Node. */
  readonly rootCertificate: string | undefined;
}

/**
 * The options of node-postgres for a mode of libpq (https://www.postgresql.org/docs/current/libpq-ssl.html, table 32.1). As
 * there, `require` checks the authority where a root certificate is named, and the host is checked by `verify-full` alone.
 * @throws ConfigError when the file of certificates cannot be read.
 */
export function tlsOptions({ mode, rootCertificate }: PostgresTls): false | ConnectionOptions {
  if (mode === 'disable') return false;
  if (mode === 'require' && rootCertificate === undefined) return { rejectUnauthorized: false };
  const trusted =
    rootCertificate === undefined || rootCertificate === 'system' ? {} : { ca: readRoot(rootCertificate) };
  return mode === 'verify-full'
    ? { rejectUnauthorized: true, ...trusted }
    : { rejectUnauthorized: true, ...trusted, checkServerIdentity: () => undefined };
}

function readRoot(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`PGSSLROOTCERT: ${(error as Error).message}`, {
      nextStep: 'Name the file with the certificate of the authority that signed that of PostgreSQL.',
      cause: error,
    });
  }
}

/** OpenSSL's codes of a certificate that is not trusted, and those of Node for a name that is not in it. */
const certificateCodes = /CERT|SELF_SIGNED|ISSUER|^UNABLE_TO_/;
const handshakeCodes = /^(?:ERR_TLS_|ERR_SSL_|ERR_OSSL_|EPROTO$)/;

/** What is wrong with the encryption, where that is why a connection was not made; else undefined. */
export function tlsFailure(error: unknown): string | undefined {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  const text = String(message);
  // node-postgres gives its own errors no code.
  if (/does not support SSL/i.test(text)) return 'it has no TLS, and PGSSLMODE asks for it';
  if (typeof code !== 'string')
    return /\bSSL\b|\bTLS\b|certificate/i.test(text) ? `the TLS handshake failed: ${text}` : undefined;
  if (certificateCodes.test(code)) return `its certificate is not accepted (${code}): ${text}`;
  return handshakeCodes.test(code) ? `the TLS handshake failed (${code}): ${text}` : undefined;
}
