import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readRestKey } from '../../../src/adapters/rest-key.js';
import { restKeyFileOf, restKeyPattern } from '../../../src/core/rest-key.js';
import { makeRestKey } from '../../../src/stack/install/rest-key.js';
import { writeSparkConf } from '../../../src/stack/spark.js';

let dataDir: string;
beforeEach(() => (dataDir = mkdtempSync(join(tmpdir(), 'rest-key-'))));
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const modeOf = (path: string): number => statSync(path).mode & 0o777;

it('is made once, of 32 bytes, for its owner alone', async () => {
  const path = restKeyFileOf(dataDir);
  await makeRestKey(dataDir);
  const key = readRestKey(path) ?? '';
  expect(key).toMatch(restKeyPattern);
  expect(Buffer.from(key, 'base64url')).toHaveLength(32);
  expect(modeOf(path)).toBe(0o600);
  await makeRestKey(dataDir);
  expect(readRestKey(path)).toBe(key);
  expect(readdirSync(dataDir)).toEqual(['spark-rest.key']);
});

it('is not there before the stack was installed', () => {
  expect(readRestKey(restKeyFileOf(dataDir))).toBeUndefined();
});

it('that is none is refused without being shown', () => {
  const path = restKeyFileOf(dataDir);
  writeFileSync(path, 'short-canary\n');
  expect(() => readRestKey(path)).toThrow(`in ${path} is not base64url of at least 32 bytes`);
  expect(() => readRestKey(path)).not.toThrow('canary');
});

it('stands in a configuration that its owner alone reads, whatever was there before', async () => {
  const conf = await writeSparkConf(dataDir, {});
  chmodSync(join(conf, 'spark-defaults.conf'), 0o644);
  await writeSparkConf(dataDir, { 'spark.x.secretKey': 'k' });
  expect(readFileSync(join(conf, 'spark-defaults.conf'), 'utf8')).toBe('spark.x.secretKey k\n');
  expect(modeOf(join(conf, 'spark-defaults.conf'))).toBe(0o600);
});
