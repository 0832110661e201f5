import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { secretForm, secretLook, secretsIn } from '../../../src/core/secret-looks.js';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const key = (seed: number, length = 40): string =>
  Array.from(
    createHash('sha512').update(String(seed)).digest().subarray(0, length),
    (byte) => alphabet[byte % 62],
  ).join('');

describe('a value that is taken for a secret', () => {
  it.each([
    ['db_password', 'correct-horse', 'has the name of a secret, and a value'],
    ['spark.ssl.keyStorePassword', 'changeit', 'has the name of a secret, and a value'],
    ['spark.hadoop.fs.s3a.secret.key', 'abc', 'has the name of a secret, and a value'],
    ['hook', 'https://me:pa55@hooks.example/x', 'holds the password of an address'],
    ['url', 'jdbc:postgresql://db:5432/x?user=a&password=b', 'holds the password of an address'],
    ['note', `ghp_${key(1, 36)}`, 'holds a token of a code host'],
    ['header', `Bearer ${key(2, 20)}1`, 'holds the credentials of a header'],
    ['anything', key(3), 'looks like a key: it is long and random'],
  ])('%s = %s', (name, value, why) => expect(secretLook(name, value)).toBe(why));

  it('is found for 997 of 1,000 keys that nothing but their letters gives away', () => {
    const found = Array.from({ length: 1000 }, (_, seed) =>
      secretForm(`https://x.example/${key(seed)}`),
    ).filter(Boolean);
    expect(found.length).toBeGreaterThanOrEqual(997);
  });
});

describe('a value that only looks like one', () => {
  it.each([
    ['access_key_column', 'access_key_id'],
    ['password_file', '/run/secrets/warehouse'],
    ['db_password', '/run/secrets/warehouse'],
    ['db_password', '${DB_PASSWORD}'],
    ['db_password', 'POSTGRES_PASSWORD'],
    ['token', ''],
    ['sha256', '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'],
    ['id', '123e4567-e89b-12d3-a456-426614174000'],
    ['url', 'https://user@hooks.example:8443/path?token_type=none'],
    ['class', 'org.apache.spark.sql.execution.streaming.StreamingSymmetricHashJoinExec2'],
    ['letters', alphabet],
    ['time', '2026-01-01T00:00:00Z'],
  ])('%s = %s', (name, value) => expect(secretLook(name, value)).toBeUndefined());
});

describe('a line of a program', () => {
  it.each([
    ['API_TOKEN = "s3cret"', 'API_TOKEN has the name of a secret, and a value'],
    ['.option("password", "s3cret")', 'password has the name of a secret, and a value'],
    ["  password 's3cret'", 'password has the name of a secret, and a value'],
    [`x = '-----BEGIN RSA PRIVATE KEY-----`, 'this line holds a private key'],
  ])('holds one: %s', (line, message) => expect(secretsIn(`\n${line}`)).toEqual([{ line: 2, message }]));

  it.each([
    'password = os.environ["POSTGRES_PASSWORD"]',
    'password = read("/run/secrets/x")',
    "-- password: 'see the runbook' is no value",
    'if token == "":',
    'sum(token_count) AS token, "x"',
  ])('holds none: %s', (line) => expect(secretsIn(line)).toEqual([]));
});
