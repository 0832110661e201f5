import pg from 'pg';
import type { PostgresAddress } from '../../src/adapters/postgres.js';
import { startStack } from './stack.js';

/** The stack's PostgreSQL alone: `database()` gives an empty database, `stop` ends the server and leaves nothing. */
export interface TestPostgres {
  database(): Promise<PostgresAddress>;
  stop(): Promise<void>;
}

/** Starts the server of the native stack, on a port and with data of its own. */
export async function startPostgres(): Promise<TestPostgres> {
  const stack = await startStack({ name: 'warehouse', portOffset: 14_000, only: ['postgres'] });
  const { host, port, database, user, password } = stack.config.postgres;
  const address = { host, port, database, user, password };
  return {
    database: async () => {
      const name = `test_${Date.now()}_${(made += 1)}`;
      await query(address, `CREATE DATABASE ${name}`);
      return { ...address, database: name };
    },
    stop: () => stack.stop(),
  };
}

let made = 0;

/** One statement, or several, on a connection of their own. */
export async function query(address: PostgresAddress, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ ...address, connectionTimeoutMillis: 2_000 });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
