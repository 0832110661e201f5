import { Client } from 'pg';
import type { StackSettings } from './settings.js';

/** Connects to one database of the stack's PostgreSQL as the role that made it, and disconnects however `work` ends. */
export async function withClient<T>(
  settings: StackSettings,
  database: string,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client({
    host: '127.0.0.1',
    port: settings.ports.postgres,
    user: settings.postgres.user,
    password: settings.postgres.password,
    database,
    // The stack's server has no TLS; without this the library reads PGSSLMODE of the caller.
    ssl: false,
    connectionTimeoutMillis: 3000,
    query_timeout: 10_000,
  });
  client.on('error', () => undefined); // A server that goes away while we end is none of our business.
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
