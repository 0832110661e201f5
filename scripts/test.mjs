// Runs every kind of test in turn and ends with one line that is computed from the runners' own reports.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const results = new URL('../.test-results/', import.meta.url);
const projects = process.argv.length > 2 ? process.argv.slice(2) : ['unit', 'spark', 'integration', 'e2e'];

/** The page's test wants a browser, the SQL scripts psql: CI gets Debian's, everybody else is told by the skipped tests. */
function installDebianPrograms() {
  if (process.env.CI !== 'true' || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return;
  const packages = { chromium: '/usr/bin/chromium', 'postgresql-client': '/usr/bin/psql' };
  const missing = Object.keys(packages).filter((name) => !existsSync(packages[name]));
  if (missing.length === 0) return;
  const options = { stdio: ['ignore', 'ignore', 'inherit'], timeout: 600_000 };
  spawnSync('apt-get', ['update', '-qq'], options);
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], options);
}

if (projects.includes('integration')) installDebianPrograms();
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });
const total = { passed: 0, failed: 0, skipped: 0 };
for (const project of projects) {
  const report = new URL(`${project}.json`, results);
  process.stderr.write(`\n== ${project}\n`);
  const { status } = spawnSync(
    process.execPath,
    [
      fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url)),
      ...['run', '--project', project, '--passWithNoTests', '--reporter=default', '--reporter=json'],
      `--outputFile.json=${fileURLToPath(report)}`,
    ],
    { cwd: root, stdio: 'inherit' },
  );
  const counts = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined;
  total.passed += counts?.numPassedTests ?? 0;
  total.failed += counts?.numFailedTests ?? 0;
  total.skipped += (counts?.numPendingTests ?? 0) + (counts?.numTodoTests ?? 0);
  // A suite that broke outside a test (an import, a hook) counts nothing by itself, but it failed.
  if (status !== 0 && (counts?.numFailedTests ?? 0) === 0) total.failed += 1;
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
