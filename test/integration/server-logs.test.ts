import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp, type App } from '../../src/compose.js';
import { loadConfig } from '../../src/config.js';
import { UnreachableError } from '../../src/core/errors.js';
import { inheritedEnvironment } from '../support/stack.js';

// Each server finds a log that is nearly full and all the older ones: its first lines roll it.

const dataDir = join(tmpdir(), 'cryptopipe-test', 'logs-servers');
const say = (): void => undefined;
const maxBytes = 10 * 1024 * 1024;
const names = ['kafka', 'name-node', 'secondary-name-node', 'data-node', 'spark-master', 'spark-worker'];
const log = (name: string): string => join(dataDir, 'logs', name);
let app: App;

function fill(name: string): void {
  const line = `full log of ${name}\n`;
  writeFileSync(log(`${name}.log`), line.repeat(Math.floor(maxBytes / line.length) - 1));
  for (const number of [1, 2, 3, 4, 5]) writeFileSync(log(`${name}.log.${number}`), `was number ${number}\n`);
}

const rolled = (name: string): string[] =>
  readdirSync(log(''))
    .filter((file) => file.startsWith(`${name}.log.`))
    .sort();

beforeAll(async () => {
  rmSync(dataDir, { recursive: true, force: true });
  mkdirSync(log(''), { recursive: true });
  names.forEach(fill);
  const env = {
    ...inheritedEnvironment(),
    CRYPTOPIPE_DATA_DIR: dataDir,
    CRYPTOPIPE_PORT_OFFSET: '17000',
  };
  app = createApp(loadConfig({}, env, '/nonexistent/.env'));
  await app.stack.up({ say, signal: AbortSignal.timeout(540_000) });
});

afterAll(async () => {
  await app.stack.down({ say });
  await app.close();
  rmSync(dataDir, { recursive: true, force: true });
});

describe.each(names)('the log of %s', (name) => {
  it('is rolled when it is full, and the oldest is removed', () => {
    expect(rolled(name)).toEqual([1, 2, 3, 4, 5].map((number) => `${name}.log.${number}`));
    expect(readFileSync(log(`${name}.log.1`), 'utf8')).toMatch(new RegExp(`^full log of ${name}\n`));
    expect(readFileSync(log(`${name}.log.2`), 'utf8')).toBe('was number 1\n');
    expect(readFileSync(log(`${name}.log.5`), 'utf8')).toBe('was number 4\n');
    const size = statSync(log(`${name}.log`)).size;
    expect(size).toBeGreaterThan(500);
    expect(size).toBeLessThan(maxBytes);
  });

  it('has what was printed before: nothing of it is in the output', () => {
    expect(readFileSync(log(`${name}.log`), 'utf8')).toMatch(/^\d{4}-\d\d-\d\d [\d:,]+ INFO /m);
    expect(readFileSync(log(`${name}.out`), 'utf8')).not.toMatch(/ INFO /);
    expect(statSync(log(`${name}.out`)).size).toBeLessThan(5000);
  });

  it('is readable for its owner alone', () => {
    expect(statSync(log(`${name}.log`)).mode & 0o777).toBe(0o600);
  });

  it('is what `stack logs` shows', async () => {
    expect(await app.stack.logTail(name, 1)).toMatch(/\d\d:\d\d/);
  });
});

describe('the log of the NameNode', () => {
  it('has no line for each request', async () => {
    await app.files.write('/noticed/by-nobody', new Uint8Array([1]));
    await app.files.remove('/noticed');
    const text = readFileSync(log('name-node.log'), 'utf8');
    expect(text).not.toMatch(/ audit: | StateChange: |BlockStateChange: |(GET|PUT|DELETE) \/webhdfs\/v1/);
    expect(readFileSync(log('data-node.log'), 'utf8')).not.toMatch(
      / clienttrace: |(GET|PUT|DELETE) \/webhdfs\/v1/,
    );
  });
});

describe('the log of PostgreSQL', () => {
  it('is the file of this day, and the output has only the beginning', async () => {
    expect(await app.stack.logTail('postgres', 100)).toContain(
      'database system is ready to accept connections',
    );
    const day = new Date().toUTCString().slice(0, 3);
    expect(readdirSync(log('postgres.log'))).toEqual([`postgresql-${day}.log`]);
    expect(statSync(log('postgres.out')).size).toBeLessThan(1000);
  });
});

describe('after `stack down`', () => {
  beforeAll(() => app.stack.down({ say }));

  it('the logs can still be read', async () => {
    expect(await app.stack.logTail('postgres', 1)).toContain('database system is shut down');
    expect(await app.stack.logTail('name-node', 3)).toContain('SHUTDOWN_MSG');
  });

  it('a start that fails shows the end of the log', async () => {
    const version = join(dataDir, 'hdfs', 'name', 'current', 'VERSION');
    const text = readFileSync(version, 'utf8');
    writeFileSync(version, text.replace(/^namespaceID=.*$/m, 'namespaceID=abc'));
    const failure: unknown = await app.stack
      .up({ say, signal: AbortSignal.timeout(110_000), only: ['name-node'] })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UnreachableError);
    const { logTail, nextStep } = failure as UnreachableError;
    expect(logTail).toContain('NumberFormatException');
    expect(nextStep).toContain(log('name-node.log'));
  });
});
