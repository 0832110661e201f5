import { escapeIdentifier, escapeLiteral } from 'pg';
import { ConfigError } from '../core/errors.js';
import { withClient } from './postgres-client.js';
import type { StackSettings } from './settings.js';

/** Airflow's own role and its own database have the same name. */
const name = 'airflow';

/** How SQLAlchemy calls that database. */
export const airflowDatabaseUrl = ({ ports }: StackSettings, password: string): string =>
  `postgresql+psycopg2://${name}:${password}@127.0.0.1:${ports.postgres}/${name}`;

/**
 * Makes role and database where they are missing, and gives the role this password.
 * @throws ConfigError where the role or the database of the pipeline has that name.
 */
export async function prepareAirflowDatabase(settings: StackSettings, password: string): Promise<void> {
  const { user, database } = settings.postgres;
  if (user === name || database === name) {
    throw new ConfigError(`Airflow's own role and database in PostgreSQL are called ${name}`, {
      nextStep: 'Give POSTGRES_USER and PGDATABASE another name, or start the stack without Airflow.',
    });
  }
  const [role, secret] = [escapeIdentifier(name), escapeLiteral(password)];
  await withClient(settings, 'postgres', async (client) => {
    const has = async (sql: string): Promise<boolean> =>
      ((await client.query(sql, [name])).rowCount ?? 0) > 0;
    const verb = (await has('SELECT FROM pg_roles WHERE rolname = $1')) ? 'ALTER' : 'CREATE';
    await client.query(`${verb} ROLE ${role} LOGIN PASSWORD ${secret}`);
    if (!(await has('SELECT FROM pg_database WHERE datname = $1')))
      await client.query(`CREATE DATABASE ${role} OWNER ${role}`);
  });
}
