import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.js';

const folder = mkdtempSync(join(tmpdir(), 'env-file-'));
const path = join(folder, '.env');
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function load(text: string, environment: Record<string, string> = {}) {
  writeFileSync(path, text);
  return loadConfig({}, { HOME: '/home/me', ...environment }, path);
}

describe('a password in .env', () => {
  it.each([
    ['ab#cdefghijk', 'ab#cdefghijk'],
    ['ab cd  # the old one', 'ab cd'],
    ["'a$b #c\"d'", 'a$b #c"d'],
    ['"a\\$b #c\'d\\"e"', 'a$b #c\'d"e'],
    ['a$$b', 'a$b'],
    ['"a\\tb"', 'a\tb'],
    ['a\\tb', 'a\\tb'],
    ['$OTHER', 'from outside'],
  ])('%s is %j, as for Compose', (written, value) => {
    expect(load(`POSTGRES_PASSWORD=${written}\n`, { OTHER: 'from outside' }).postgres.password).toBe(value);
  });

  it('with a dollar sign that begins a variable is named, and nothing of it is shown', () => {
    const { postgres, warnings } = load('POSTGRES_PASSWORD=pass$canary\n');
    expect(postgres.password).toBe('pass');
    expect(warnings).toEqual([
      expect.stringMatching(/^POSTGRES_PASSWORD in .*\.env refers to a variable that is not set/),
    ]);
    expect(warnings.join()).not.toMatch(/canary|pass\$/);
  });

  it('with an open quote is refused by its line, and nothing of it is shown', () => {
    const read = () => load('PGPORT=5432\n\nPOSTGRES_PASSWORD="canary\n');
    expect(read).toThrow(`${path}, line 3: a quote that is not closed`);
    expect(read).not.toThrow('canary');
  });
});

describe('an empty value', () => {
  it('in .env means the default, as `${NAME:-default}` in Compose', () => {
    expect(load('PGHOST=\nPGPORT=""\n').postgres).toMatchObject({ host: 'localhost', port: 5432 });
  });

  it('in the environment hides that of .env, as in Compose', () => {
    expect(load('PGHOST=db.example\n', { PGHOST: '' }).postgres.host).toBe('localhost');
  });
});

it('is read where a name stands alone: the value is that of the environment', () => {
  expect(load('PGHOST\n', { PGHOST: 'db.example' }).postgres.host).toBe('db.example');
});

it('is refused in one message where it is a folder', () => {
  expect(() => loadConfig({}, { HOME: '/home/me' }, folder)).toThrow(`  ${folder}: EISDIR`);
});

describe('names of other programs', () => {
  const lines = [
    ...['COMPOSE_PROFILES=producer', 'COMPOSE_PROJECT_NAME=market', 'DOCKER_HOST=unix:///run/docker.sock'],
    ...['BUILDKIT_PROGRESS=plain', 'TZ=Europe/Berlin', 'LANG=C.UTF-8', 'LC_ALL=C', 'GF_SERVER_ROOT_URL=/g'],
    ...['AIRFLOW_UID=50000', 'AIRFLOW__CORE__PARALLELISM=4', '_AIRFLOW_WWW_USER_USERNAME=me'],
    ...[
      'https_proxy=http://proxy:3128',
      'NO_PROXY=localhost',
      'JAVA_HOME=/opt/java',
      'SPARK_HOME=/opt/spark',
    ],
    ...['HADOOP_CONF_DIR=/etc/hadoop', 'PYSPARK_DRIVER_PYTHON=python3', 'NODE_OPTIONS=--trace-warnings'],
    ...[
      'PGAPPNAME=me',
      'PGCONNECT_TIMEOUT=5',
      'POSTGRES_INITDB_ARGS=--data-checksums',
      'PIP_INDEX_URL=http://pip',
    ],
  ];

  it.each(lines)('pass: %s', (line) => {
    const [name = '', value] = line.split('=', 2);
    const { environment, warnings } = load(`${line}\n`);
    expect(warnings).toEqual([]);
    expect(environment[name]).toBe(value);
  });

  it('are inherited by the programs that are started, and the environment overrides them', () => {
    expect(load('TZ=UTC\n', { TZ: 'Asia/Tokyo' }).environment['TZ']).toBe('Asia/Tokyo');
  });

  it('let no setting of ours through to other programs', () => {
    const { environment } = load(
      'AIRFLOW_ADMIN_PASSWORD=canary\nPOSTGRES_PASSWORD=canary\nPYSPARK_PYTHON=/p\n',
    );
    expect(environment).toEqual({ HOME: '/home/me' });
  });
});

describe('a misspelt name of ours', () => {
  it.each([
    ['KAFKA_TOPICS', 'KAFKA_TOPIC'],
    ['POSTGRES_PASSWORT', 'POSTGRES_PASSWORD'],
    ['AIRFLOW_ADMIN_PASSWD', 'AIRFLOW_ADMIN_PASSWORD'],
    ['AIRFLOW_ADMIN_PASSWORT', 'AIRFLOW_ADMIN_PASSWORD'],
    ['SPARK_REST_URI', 'SPARK_REST_URL'],
    ['PYSPARK_PYTON', 'PYSPARK_PYTHON'],
    ['PGHOTS', 'PGHOST'],
    ['CRYPTO_SYMBOLS', 'CRYPTO_SYMBOL'],
    ['CRYPTOPIPE_DATADIR', 'CRYPTOPIPE_DATA_DIR'],
    ['kafka_topic', 'KAFKA_TOPIC'],
  ])('%s is refused with the right one: %s', (name, meant) => {
    expect(() => load(`${name}=1\n`)).toThrow(
      `${name} in ${path}: is no setting of cryptopipe; did you mean ${meant}?`,
    );
  });

  it('is refused beside all others in one message', () => {
    expect(() => load('SOMETHING_ELSE_ALTOGETHER=1\nPGPORT=x\nKAFKA_TOPPIC=1\nAB%=1\n')).toThrow(
      [
        'The configuration is wrong:',
        `  ${path}, line 4: a character that no name can have`,
        `  SOMETHING_ELSE_ALTOGETHER in ${path}: is no setting of cryptopipe`,
        `  KAFKA_TOPPIC in ${path}: is no setting of cryptopipe; did you mean KAFKA_TOPIC?`,
        '  PGPORT: is not a whole number from 1 to 65535',
      ].join('\n'),
    );
  });
});
