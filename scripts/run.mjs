// `npm run demo`, `npm test` and `npm run cryptopipe`: brings a fresh clone to where the program can run, then runs it.
// Plain JavaScript without packages, since it is what installs them.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeProblem, prerequisiteProblems } from './prerequisites.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

function fail(message) {
  process.stderr.write(`error: ${message}\n`);
  process.exit(3);
}

/** Runs a program to its end with our streams; its exit code, or 130 when a signal ended it. */
function run(file, args) {
  const child = spawn(file, args, { stdio: 'inherit' });
  // Ctrl-C reaches the child by itself, as it does us: it ends in its own way, and we wait for it.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve) => {
    child.on('error', (error) => fail(`${file} could not be started: ${error.message}`));
    child.on('exit', (code) => resolve(code ?? 130));
  });
}

const changedAt = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

function newestBelow(folder) {
  const times = readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => changedAt(join(entry.parentPath ?? entry.path, entry.name)));
  return Math.max(0, ...times);
}

function installPackages() {
  const installed = changedAt(join(root, 'node_modules', '.package-lock.json'));
  if (installed > 0 && installed >= changedAt(join(root, 'package-lock.json'))) return;
  process.stderr.write('installing packages: npm ci\n');
  const isWindows = process.platform === 'win32';
  const result = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: isWindows,
  });
  if (result.status !== 0) fail('npm ci failed; its output is above');
}

function build() {
  const built = changedAt(join(root, 'dist', '.built'));
  const sources = Math.max(newestBelow(join(root, 'src')), changedAt(join(root, 'tsconfig.build.json')));
  if (built > sources) return;
  process.stderr.write('building\n');
  const result = spawnSync('npm', ['run', '-s', 'build'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) fail('the build failed; its output is above');
}

const [what, ...args] = process.argv.slice(2);
// Java and Python are for the native servers, and a command that starts one asks for them: with Docker nobody needs them here.
const problems =
  what === 'cli' ? [nodeProblem()].filter((problem) => problem) : prerequisiteProblems(process.env);
if (problems.length > 0) fail(`${problems.join('\n')}\nThen run the same command again.`);
installPackages();
build();
const main = join(root, 'dist', 'main.js');
if (what === 'test')
  process.exitCode = await run(process.execPath, [join(root, 'scripts', 'test.mjs'), ...args]);
else if (what === 'test:long')
  process.exitCode = await run(process.execPath, [join(root, 'scripts', 'test-long.mjs'), ...args]);
else if (what === 'demo') process.exitCode = await run(process.execPath, [main, 'demo', ...args]);
else if (what === 'cli') process.exitCode = await run(process.execPath, [main, ...args]);
else fail('node scripts/run.mjs demo|test|test:long|cli [arguments]');
