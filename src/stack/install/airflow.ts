import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { PythonPackages } from './python.js';

/** The folder of the project that holds the DAGs and what Airflow is made of. */
export const airflowFolder = fileURLToPath(new URL('../../../airflow', import.meta.url));

export interface AirflowInstallation {
  /** The virtual environment. */
  readonly folder: string;
  readonly version: string;
}

const requirements = (): string => readFileSync(`${airflowFolder}/requirements.txt`, 'utf8');

/** Airflow with all that it needs, pinned for every Python that it runs on; nothing is resolved and nothing is built. */
export function airflowPackages(): PythonPackages {
  return {
    name: 'airflow',
    contents: 'Airflow (about 340 MB)',
    sets: { requirements: requirements() },
    pipFlags: ['--no-deps', '--only-binary', ':all:'],
  };
}

export const airflowVersion = (): string => /^apache-airflow==(\S+)/m.exec(requirements())?.[1] ?? '';
