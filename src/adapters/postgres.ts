import pg from 'pg';
import type { WarehouseState } from '../core/ports/bars.js';
import { translatePostgresError, wasRolledBack } from '../postgres/postgres-errors.js';
import { tlsOptions, type PostgresTls } from '../postgres/postgres-tls.js';
import { patientCalls, wasNotDone, type Patience, type PatientCalls } from './patience.js';

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

const callsOf = new WeakMap<pg.Pool, PatientCalls>();

/** A pool of connections to the warehouse; opens nothing yet. Close it with `end()`. The time-out is that of one statement. */
export function createPool(
  address: PostgresAddress,
  statementTimeoutMs = defaultStatementTimeoutMs,
  patience?: Patience,
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
  callsOf.set(
    pool,
    patientCalls(
      'postgres',
      patience,
      (error) => wasNotDone(error) || wasRolledBack(error) || withoutConnection.has(error),
    ),
  );
  return pool;
}

/**
 * Rows of one statement.
 * @throws UnreachableError when the server does not answer or cannot serve now, RefusedError when it does not do what the
 * statement says, ConfigError where a login, a right, the database or the schema is missing.
 */
export async function queryRows<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  sql: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  return patiently(pool, () =>
    withConnection(pool, async (client) => (await client.query<Row>(sql, [...values])).rows),
  );
}

/** Failures before there was a connection: the server has received no statement. */
const withoutConnection = new WeakSet<object>();

async function connectionOf(pool: pg.Pool): Promise<pg.PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    const translated = translate(error, pool);
    if (translated instanceof Error) withoutConnection.add(translated);
    throw translated;
  }
}

/** A connection that breaks reports it as an event too; without a listener that would end the process. */
const ignore = (): void => undefined;

/** A connection after a failure is thrown away, which rolls back on the server too, even where it no longer listens. */
async function withConnection<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await connectionOf(pool);
  client.on('error', ignore);
  let isSound = false;
  try {
    const result = await work(client);
    isSound = true;
    return result;
  } catch (error) {
    throw translate(error, pool);
  } finally {
    if (isSound) client.removeListener('error', ignore);
    client.release(!isSound);
  }
}

/** Runs a statement or a transaction again where the server has not carried it out and may do so later. */
const patiently = <T>(pool: pg.Pool, work: () => Promise<T>): Promise<T> =>
  callsOf.get(pool)?.once(work) ?? work();

/** Asks the server whether it takes writes. @throws as `queryRows`. */
export async function readWarehouseState(pool: pg.Pool): Promise<WarehouseState> {
  const [row] = await queryRows<{ standby: boolean; read_only: string }>(
    pool,
    `SELECT pg_is_in_recovery() AS standby, current_setting('default_transaction_read_only') AS read_only`,
  );
  return { isStandby: row?.standby === true, isReadOnly: row?.read_only === 'on' };
}

/**
 * Runs `work` in one transaction of one connection: committed when it resolves, rolled back when it throws. With a patient
 * pool `work` may run more than once, so it changes nothing but the database.
 */
export const inTransaction = <T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
  mode = 'ISOLATION LEVEL READ COMMITTED',
): Promise<T> => patiently(pool, () => transactionOnce(pool, work, mode));

const transactionOnce = <T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
  mode: string,
): Promise<T> =>
  withConnection(pool, async (client) => {
    await client.query(`BEGIN ${mode}`);
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  });

/** An int8 that must fit a number exactly; our ids, counts and times do, as everything above 2^53 is rejected. */
export function exactNumber(value: unknown, what: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw new RangeError(`${what} is ${String(value)}, which a number cannot hold exactly`);
}

function translate(error: unknown, { options }: pg.Pool): unknown {
  const { host = '', port = 5432, database = '', user = '' } = options;
  return translatePostgresError(error, { host, port, database, user });
}
