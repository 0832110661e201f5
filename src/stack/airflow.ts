import { join } from 'node:path';
import { z } from 'zod';
import { prepareAirflowDatabase } from './airflow-database.js';
import { airflowHome, makeAirflowSecrets, quote, writeAirflowPrograms } from './airflow-home.js';
import { answerOf } from './answer.js';
import { airflowFolder, type AirflowInstallation } from './install/airflow.js';
import type { Server } from './server.js';
import { serverEnvironment, type StackSettings } from './settings.js';

/** Airflow: scheduler, DAG processor, triggerer and API server under one process, over a database of their own. */
export function airflowServer(settings: StackSettings, installation: AirflowInstallation): Server {
  const home = airflowHome(settings);
  const port = settings.ports.airflow;
  // Of an Airflow that ran before this call any sign of its parts counts.
  let startedAt = 0;
  return {
    name: 'airflow',
    version: installation.version,
    ports: { 'Airflow web': port },
    prepare: async () => {
      const { databasePassword } = await makeAirflowSecrets(settings);
      await prepareAirflowDatabase(settings, databasePassword);
      const environment = { ...airflowEnvironment(settings), ...taskEnvironment(settings) };
      await writeAirflowPrograms(settings, environment, join(installation.folder, 'bin', 'airflow'));
      startedAt = Date.now();
      return {
        file: join(home.bin, 'airflow'),
        args: ['standalone'],
        cwd: home.folder,
        env: serverEnvironment(settings, { PATH: `${home.bin}:${settings.environment['PATH'] ?? ''}` }),
      };
    },
    checkReady: (signal) => isHealthy(port, startedAt, signal),
    readyTimeoutMs: 180_000,
    hint: `http://localhost:${port}, user admin, its password in ${home.logins}; its command line is ${home.bin}/airflow`,
    stopSignal: 'SIGTERM', // Its executor's workers ignore SIGINT, and its scheduler then waits for them.
    stopTimeoutMs: 30_000,
  };
}

/** Airflow's own settings: https://airflow.apache.org/docs/apache-airflow/stable/configurations-ref.html */
export function airflowEnvironment(settings: StackSettings): Record<string, string> {
  const home = airflowHome(settings);
  const port = settings.ports.airflow;
  const contentOf = (path: string): string => `cat ${quote(path)}`;
  return {
    AIRFLOW_HOME: home.folder,
    AIRFLOW__CORE__DAGS_FOLDER: join(airflowFolder, 'dags'),
    AIRFLOW__CORE__LOAD_EXAMPLES: 'False',
    AIRFLOW__CORE__EXECUTOR: 'LocalExecutor',
    AIRFLOW__CORE__PARALLELISM: '4', // A process waits for each of them, and the work is Spark's.
    AIRFLOW__CORE__FERNET_KEY_CMD: contentOf(home.fernetKey),
    AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS: 'admin:admin', // User and role; the password is in the file.
    AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE: home.logins,
    AIRFLOW__CORE__EXECUTION_API_SERVER_URL: `http://127.0.0.1:${port}/execution/`,
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD: contentOf(home.databaseUrl),
    // Each of its processes keeps connections of its own, and the pipeline needs its share of PostgreSQL's.
    AIRFLOW__DATABASE__SQL_ALCHEMY_POOL_SIZE: '2',
    AIRFLOW__DATABASE__SQL_ALCHEMY_MAX_OVERFLOW: '3',
    AIRFLOW__API__HOST: '127.0.0.1',
    AIRFLOW__API__PORT: String(port),
    AIRFLOW__API__BASE_URL: `http://localhost:${port}`,
    AIRFLOW__API__WORKERS: '1',
    AIRFLOW__API__SECRET_KEY_CMD: contentOf(home.apiKey),
    AIRFLOW__API_AUTH__JWT_SECRET_CMD: contentOf(home.jwtKey),
    AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES: '1',
    AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL: '10', // Of the folder's list; a new DAG would show after five minutes.
    AIRFLOW__LOGGING__COLORED_CONSOLE_LOG: 'False',
    PYTHONDONTWRITEBYTECODE: '1', // The DAGs lie in the checkout.
    PYTHONUNBUFFERED: '1', // Else its log is minutes late.
  };
}

/** What the commands of the DAGs see: this very stack, and each secret as a file. */
function taskEnvironment(settings: StackSettings): Record<string, string> {
  const home = airflowHome(settings);
  const files = settings.tasks.secrets.map(({ name }) => [`${name}_FILE`, home.setting(name)] as const);
  return {
    ...settings.tasks.environment,
    ...Object.fromEntries(files),
    CRYPTOPIPE_COMMAND: join(home.bin, 'cryptopipe'),
  };
}

const healthSchema = z.object({
  metadatabase: z.object({ status: z.string() }),
  scheduler: z.object({ status: z.string(), latest_scheduler_heartbeat: z.string().nullable() }),
  triggerer: z.object({ status: z.string(), latest_triggerer_heartbeat: z.string().nullable() }),
  dag_processor: z.object({ status: z.string(), latest_dag_processor_heartbeat: z.string().nullable() }),
});

/** By their own words; for half a minute after its end a killed part is still called healthy, so its beat must be ours. */
async function isHealthy(port: number, startedAt: number, signal: AbortSignal): Promise<void> {
  const answer = await answerOf(`http://127.0.0.1:${port}/api/v2/monitor/health`, signal);
  const { metadatabase, scheduler, triggerer, dag_processor } = healthSchema.parse(JSON.parse(answer));
  const parts = {
    metadatabase: { ...metadatabase, beat: undefined },
    scheduler: { ...scheduler, beat: scheduler.latest_scheduler_heartbeat },
    triggerer: { ...triggerer, beat: triggerer.latest_triggerer_heartbeat },
    'dag-processor': { ...dag_processor, beat: dag_processor.latest_dag_processor_heartbeat },
  };
  const ill = Object.entries(parts).filter(
    ([, { status, beat }]) =>
      status !== 'healthy' || (beat !== undefined && Date.parse(beat ?? '') < startedAt),
  );
  if (ill.length > 0) throw new Error(`not healthy yet: ${ill.map(([name]) => name).join(', ')}`);
}
