import { Client } from 'pg';
import { translatePostgresError } from '../postgres/postgres-errors.js';
import type { StackSettings } from './settings.js';

/**
 * Connects to one database of the stack's PostgreSQL as the role that made it, and disconnects however `work` ends.
 * @throws ConfigError, UnreachableError, RefusedError as `translatePostgresError`; the cause has PostgreSQL's own code.
 */
export async function withClient<T>(
  settings: StackSettings,
  database: string,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const { user, password } = settings.postgres;
  const place = { host: '127.0.0.1', port: settings.ports.postgres, user, database };
  const client = new Client({
    ...place,
    password,
    // The stack's server has no TLS; without this the library reads PGSSLMODE of the caller.
    ssl: false,
    connectionTimeoutMillis: 3000,
    query_timeout: 10_000,
  });
  client.on('error', () => undefined); // A server that goes away while we end is none of our business.
  try {
    await client.connect();
    return await work(client);
  } catch (error) {
    throw translatePostgresError(error, place);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** The SQLSTATE that such an error comes from. */
export const sqlStateOf = (error: unknown): string | undefined =>
  ((error as Error).cause as { code?: string } | undefined)?.code;
