import pg from 'pg';
import type { Config } from '../../../src/config.js';
import type { JobRun } from '../../../src/core/ports/runs.js';
import type { Step } from './plan.js';

/** One row of `crypto.job_runs`, as far as a judgement needs it. */
export type Row = Pick<JobRun, 'runId' | 'state' | 'error' | 'submissionId'>;

const tell = `
  CREATE FUNCTION tell_of_run() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_notify('job_runs', CASE WHEN NEW.state = 'RUNNING' THEN 'registered'
      WHEN NEW.submission_id IS NOT NULL THEN 'id written' ELSE 'written down' END);
    RETURN NEW;
  END $$;
  CREATE TRIGGER tell_of_run AFTER INSERT OR UPDATE OF state, submission_id ON crypto.job_runs
    FOR EACH ROW WHEN (NEW.state IN ('PENDING', 'SUBMITTED', 'RUNNING')) EXECUTE FUNCTION tell_of_run()`;

/** The book of runs as the test sees it: its rows, and a word at each commit. */
export class Book {
  private constructor(private readonly client: pg.Client) {}

  static async open(config: Config, onStep: (step: Step) => void): Promise<Book> {
    const { host, port, database, user, password } = config.postgres;
    const client = new pg.Client({ host, port, database, user, password });
    await client.connect();
    await client.query(tell);
    client.on('notification', ({ payload }) => onStep(payload as Step));
    await client.query('LISTEN job_runs');
    return new Book(client);
  }

  async rows(): Promise<readonly Row[]> {
    const { rows } = await this.client.query<Row>(
      `SELECT run_id AS "runId", state, error, submission_id AS "submissionId" FROM crypto.job_runs ORDER BY created_at`,
    );
    return rows;
  }

  /** As a job does first of all; false where its run is not live, and a job ends. */
  async register(runId: string, driverId: string): Promise<boolean> {
    const { rowCount } = await this.client.query(
      `UPDATE crypto.job_runs SET state = 'RUNNING', submission_id = $2, started_at = now(), heartbeat_at = now()
       WHERE run_id = $1 AND state IN ('PENDING', 'SUBMITTED')`,
      [runId, driverId],
    );
    return rowCount === 1;
  }

  /** Every round begins with an empty book. */
  async clear(): Promise<void> {
    await this.client.query('DELETE FROM crypto.job_runs');
  }

  async close(): Promise<void> {
    await this.client.end();
  }
}
