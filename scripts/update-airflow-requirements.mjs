// Writes airflow/requirements.txt anew from airflow/requirements.in: every package that Airflow needs, with the checksums
// of its wheels, for each Python from 3.10 on. Needs `uv` (pip install uv); only who changes a version runs this.
//
// Airflow sets few upper bounds, so the newest packages of today may break it: what its own tests ran with is what was
// published by the day after its release.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const publishedBy = '2026-09-18'; // Airflow 3.3.2 is of 2026-09-17.

execFileSync(
  'uv',
  [
    ...['pip', 'compile', '--quiet', 'requirements.in', '--output-file', 'requirements.txt', '--upgrade'],
    ...['--universal', '--python-version', '3.10', '--exclude-newer', publishedBy],
    ...['--generate-hashes', '--no-build', '--no-header'],
  ],
  { cwd: fileURLToPath(new URL('../airflow/', import.meta.url)), stdio: 'inherit' },
);
