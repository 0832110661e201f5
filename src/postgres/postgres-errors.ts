import pg from 'pg';
import { ConfigError, CryptopipeError, RefusedError, UnreachableError } from '../core/errors.js';
import { tlsFailure } from './postgres-tls.js';

/** Where the failed statement was sent, for the message. */
export interface PostgresPlace {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

/**
 * What a SQLSTATE means for the caller. `config`: exit 3, something has to be set or granted. `unavailable`: exit 4, the
 * server cannot serve now. `refused`: exit 4, the server answered and did not do it.
 */
interface Meaning {
  readonly kind: 'config' | 'unavailable' | 'refused';
  /** Stands between the place and the server's own message. */
  readonly what: string;
  readonly nextStep: string;
  readonly retryable?: boolean;
}

const later = 'Try again in a moment; `cryptopipe stack status` shows the server.';
const serverLog = "The server's log has the cause: `cryptopipe stack logs postgres` on the native stack.";

const noLogin: Meaning = {
  kind: 'config',
  what: 'refuses the login of',
  nextStep: 'Set PGDATABASE, POSTGRES_USER and POSTGRES_PASSWORD (or POSTGRES_PASSWORD_FILE).',
};
const noSchema: Meaning = {
  kind: 'config',
  what: 'has no schema for this version of cryptopipe in',
  nextStep: 'Make it with `cryptopipe init`.',
};
const nameTaken: Meaning = {
  kind: 'config',
  what: 'has an object already that cryptopipe did not make, in',
  nextStep: 'Give cryptopipe a database of its own (PGDATABASE), or rename that object.',
};
const stopping: Meaning = {
  kind: 'unavailable',
  what: 'is starting, stopping or restarting, for',
  nextStep: later,
  retryable: true,
};

/** SQLSTATEs whose meaning differs from that of their class. */
const byCode: Readonly<Record<string, Meaning>> = {
  '25006': {
    kind: 'refused',
    what: 'is read-only for',
    nextStep:
      'It may be a standby, or a failover is going on: set PGHOST to the primary, or set default_transaction_read_only off.',
    retryable: true,
  },
  '42501': {
    kind: 'config',
    what: 'does not give the necessary right to',
    nextStep: 'Grant the right to this role, or set POSTGRES_USER to a role that has it.',
  },
  '42P01': noSchema,
  '42703': noSchema,
  '42704': noSchema,
  '42883': noSchema,
  '42P06': nameTaken,
  '42P07': nameTaken,
  '42701': nameTaken,
  '42710': nameTaken,
  '42723': nameTaken,
  '53100': {
    kind: 'unavailable',
    what: 'has no space left on its disk, for',
    nextStep: "Free space on the disk of the server's data folder.",
    retryable: true,
  },
  '53200': {
    kind: 'unavailable',
    what: 'is out of memory, for',
    nextStep: 'Raise max_locks_per_transaction or the memory of the server, or close other sessions.',
    retryable: true,
  },
  '53300': {
    kind: 'unavailable',
    what: 'has no free connection for',
    nextStep: 'Close other sessions, or raise max_connections.',
    retryable: true,
  },
  '55P03': {
    kind: 'unavailable',
    what: 'did not give a lock in time to',
    nextStep: 'Another session holds it (see pg_stat_activity): try again when that has ended.',
    retryable: true,
  },
  '57014': {
    kind: 'unavailable',
    what: 'cancelled a statement (time limit, or by request) of',
    nextStep: 'Try again with less (fewer symbols, a shorter time range), or when the server is less busy.',
    retryable: false,
  },
  '57P04': { ...noLogin, what: 'has dropped the database of' },
};

/** The class is the first two characters of a SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const byClass: Readonly<Record<string, Meaning>> = {
  '08': { kind: 'unavailable', what: 'lost the connection of', nextStep: later, retryable: true },
  '0A': {
    kind: 'refused',
    what: 'does not support a statement of',
    nextStep: 'Use PostgreSQL 14 or newer, without a proxy that changes statements.',
  },
  '28': noLogin,
  '3D': { ...noLogin, what: 'has no such database for' },
  '3F': noSchema,
  '40': {
    kind: 'unavailable',
    what: 'rolled back because of a concurrent transaction, for',
    nextStep: 'Try again.',
    retryable: true,
  },
  '53': { kind: 'unavailable', what: 'is out of resources, for', nextStep: serverLog, retryable: true },
  '57': stopping,
  '58': { kind: 'refused', what: 'reports an error of its own computer, for', nextStep: serverLog },
  F0: { kind: 'refused', what: 'has a configuration file with errors, for', nextStep: serverLog },
  XX: { kind: 'refused', what: 'reports an internal error, for', nextStep: serverLog },
};

const placeOf = ({ host, port }: PostgresPlace): string => `PostgreSQL at ${host}:${port}`;

/**
 * The failure of a statement or of a connection as an error of ours, by the class of its SQLSTATE; an unknown code is a
 * refusal. What neither the server nor its client library has thrown is returned as it is.
 */
export function translatePostgresError(error: unknown, place: PostgresPlace): unknown {
  if (error instanceof CryptopipeError) return error;
  if (error instanceof pg.DatabaseError) return translateSqlState(error, place);
  return isOfClient(error) ? translateClientError(error, place) : error;
}

/**
 * True for a failure with which the server answered and went on: the transaction of the statement is rolled back then. A
 * server that ends the connection (57P01, 57P02, class 08) may have committed before.
 */
export function wasRolledBack({ cause }: CryptopipeError): boolean {
  return cause instanceof pg.DatabaseError && !/^(57P0[12]|08)/.test(cause.code ?? '08');
}

function translateSqlState(error: pg.DatabaseError, place: PostgresPlace): CryptopipeError {
  const { code = '', message } = error;
  const meaning = byCode[code] ?? byClass[code.slice(0, 2)];
  if (meaning === undefined)
    return new RefusedError(`${placeOf(place)} refused: ${code} ${message}`, {
      nextStep: serverLog,
      retryable: false,
      cause: error,
    });
  const { kind, what, nextStep, retryable = false } = meaning;
  const text = `${placeOf(place)} ${what} ${place.user}@${place.database}: ${message} (${code})`;
  if (kind === 'config') return new ConfigError(text, { nextStep, cause: error });
  const Kind = kind === 'refused' ? RefusedError : UnreachableError;
  return new Kind(text, { nextStep, retryable, cause: error });
}

/** node-postgres and node:net throw plain errors, the latter with a code; a TypeError is a fault of a program. */
const isOfClient = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error &&
  (Object.getPrototypeOf(error) === Error.prototype ||
    error instanceof AggregateError ||
    typeof (error as NodeJS.ErrnoException).code === 'string');

/** node-postgres gives its own errors no code, so their texts are all there is. */
const loginText = /^SASL|password|unknown authenticationOk|authentication/i;

function translateClientError(error: NodeJS.ErrnoException, place: PostgresPlace): CryptopipeError {
  const { code = '', message } = error;
  const said = message === '' ? code : message;
  const tlsProblem = tlsFailure(error);
  if (tlsProblem !== undefined)
    return new ConfigError(`${placeOf(place)} was not connected to: ${tlsProblem}`, {
      nextStep: 'Set PGSSLMODE (disable, require, verify-ca, verify-full) and PGSSLROOTCERT.',
      cause: error,
    });
  if (code === '' && loginText.test(message))
    return new ConfigError(`${placeOf(place)} ${noLogin.what} ${place.user}@${place.database}: ${said}`, {
      nextStep: noLogin.nextStep,
      cause: error,
    });
  return new UnreachableError(`${placeOf(place)} did not answer: ${said}`, {
    nextStep: 'Start it with `cryptopipe stack up`, or set PGHOST and PGPORT.',
    cause: error,
  });
}
