import pg from 'pg';
import { ConfigError, CryptopipeError, UnreachableError } from '../core/errors.js';
import { tlsFailure, tlsOptions, type PostgresTls } from './postgres-tls.js';

/** Where the warehouse is, as this process sees it. */
export interface PostgresAddress {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  /** Without encryption where it is not given. */
  readonly tls?: PostgresTls;
}

const connectTimeoutMs = 5_000;
const defaultStatementTimeoutMs = 60_000;

/** int8 becomes a number where a double holds it exactly, else a bigint; NUMERIC stays text, timestamps become Date. */
function parseInt8(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === pg.types.builtins.INT8 && format !== 'binary'
      ? parseInt8
      : (pg.types.getTypeParser(oid, format) as unknown),
};

/** A pool of connections to the warehouse; opens nothing yet. Close it with `end()`. The time-out is that of one statement. */
export function createPool(
  address: PostgresAddress,
  statementTimeoutMs = defaultStatementTimeoutMs,
): pg.Pool {
  const { tls, ...login } = address;
  const pool = new pg.Pool({
    ...login,
    // Given in every case: without it the library reads PGSSLMODE by itself, with another meaning.
    ssl: tls === undefined ? false : tlsOptions(tls),
    types,
    max: 4,
    application_name: 'cryptopipe',
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    // The server ends a slow statement itself; this one is for a server that no longer answers at all.
    query_timeout: statementTimeoutMs + connectTimeoutMs,
    idleTimeoutMillis: 10_000,
  });
  // An idle connection that breaks (a restarted server) is replaced on the next query; unheard it would end the process.
  pool.on('error', () => undefined);
  return pool;
}

/**
 * Rows of one statement.
 * @throws UnreachableError when the server does not answer, ConfigError when it refuses the user, the database or knows
 * no such table.
 */
export async function queryRows<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  sql: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  try {
    return (await pool.query<Row>(sql, [...values])).rows;
  } catch (error) {
    throw translate(error, pool);
  }
}

/** Runs `work` in one transaction of one connection: committed when it resolves, rolled back when it throws. */
export async function inTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
  mode = 'ISOLATION LEVEL READ COMMITTED',
): Promise<T> {
  let client: pg.PoolClient | undefined;
  try {
    client = await pool.connect();
    await client.query(`BEGIN ${mode}`);
    const result = await work(client);
    await client.query('COMMIT');
    client.release();
    return result;
  } catch (error) {
    // The connection is thrown away, which rolls back on the server too, even where it no longer listens.
    client?.release(true);
    throw translate(error, pool);
  }
}

/** An int8 that must fit a number exactly; our ids, counts and times do, as everything above 2^53 is rejected. */
export function exactNumber(value: unknown, what: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw new RangeError(`${what} is ${String(value)}, which a number cannot hold exactly`);
}

/** SQLSTATEs of a server that is there and cannot serve now: starting, stopping, full, or out of time. */
const unavailable = new Set(['57P01', '57P02', '57P03', '53300', '57014', '55P03']);
const refused = new Set(['28P01', '28000', '3D000']);
const withoutSchema = new Set(['42P01', '3F000']);

function translate(error: unknown, pool: pg.Pool): unknown {
  if (error instanceof CryptopipeError) return error;
  const { host, port, database, user } = pool.options;
  const place = `PostgreSQL at ${host ?? ''}:${port ?? ''}`;
  const { code, message } = error as { code?: string; message: string };
  const tlsProblem = tlsFailure(error);
  if (tlsProblem !== undefined)
    return new UnreachableError(`${place} was not connected to: ${tlsProblem}`, {
      nextStep: 'Set PGSSLMODE (disable, require, verify-ca, verify-full) and PGSSLROOTCERT.',
      cause: error,
    });
  if (error instanceof pg.DatabaseError) return translateSql(error, place, `${user ?? ''}@${database ?? ''}`);
  const isNetwork = code !== undefined && /^E[A-Z_]+$/.test(code);
  // pg gives its own connection errors no code, so their texts are all there is.
  if (!isNetwork && !/timeout|terminated|not queryable/i.test(message)) return error;
  return new UnreachableError(`${place} did not answer: ${message === '' ? String(code) : message}`, {
    nextStep: 'Start it with `cryptopipe stack up`, or set PGHOST and PGPORT.',
    cause: error,
  });
}

function translateSql(error: pg.DatabaseError, place: string, login: string): CryptopipeError | Error {
  const code = error.code ?? '';
  if (unavailable.has(code))
    return new UnreachableError(`${place} cannot serve now: ${error.message}`, {
      nextStep: 'Try again in a moment; `cryptopipe stack status` shows the server.',
      cause: error,
    });
  if (refused.has(code))
    return new ConfigError(`${place} refuses ${login}: ${error.message}`, {
      nextStep: 'Set PGDATABASE, POSTGRES_USER and POSTGRES_PASSWORD (or POSTGRES_PASSWORD_FILE).',
      cause: error,
    });
  if (withoutSchema.has(code))
    return new ConfigError(`${place} has no schema for this version of cryptopipe: ${error.message}`, {
      nextStep: 'Make it with `cryptopipe init`.',
      cause: error,
    });
  return error;
}
