import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/core/errors.js';
import { requireNoSecret, withoutSecrets, type KnownSecret } from '../../../src/core/secrets.js';

/** In base64 it has characters that the two alphabets write differently. */
const password = 'p"ä/ss word-?>?';
const secrets: KnownSecret[] = [
  { name: 'POSTGRES_PASSWORD', value: password },
  { name: 'SPARK_REST_KEY', value: 'abcdefgh-1' },
  { name: 'LONGER', value: 'abcdefgh-1-and-more' },
];

const problemOf = (parts: Readonly<Record<string, unknown>>): string => {
  try {
    requireNoSecret(secrets, parts);
    return '';
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
};

describe('the guard', () => {
  it.each([
    ['as it is', `x=${password};`],
    ['in JSON or Python', JSON.stringify({ x: password })],
    ['in an address', `http://host/?p=${encodeURIComponent(password)}`],
    ['in base64', Buffer.from(password).toString('base64')],
    ['in base64url', Buffer.from(password).toString('base64url')],
  ])('finds a secret %s', (_how, text) => {
    expect(problemOf({ text })).toBe('The value of POSTGRES_PASSWORD stands in text');
  });

  it.each([
    [{ request: { appArgs: ['a', 'b=abcdefgh-1'] } }, 'request.appArgs[1]'],
    [{ request: { sparkProperties: { 'spark.x': 'abcdefgh-1' } } }, 'request.sparkProperties.spark.x'],
    [
      { request: { environmentVariables: { 'abcdefgh-1': '' } } },
      'the names of request.environmentVariables',
    ],
    [{ 'job.py': new TextEncoder().encode('one\ntwo\nabcdefgh-1\n') }, 'job.py, line 3'],
    [{ request: { 'abcdefgh-1': 'abcdefgh-1' } }, 'the names of request'],
  ])('says where, and never the value', (parts, place) => {
    expect(problemOf(parts)).toBe(`The value of SPARK_REST_KEY stands in ${place}`);
  });

  it('lets pass what holds none', () => {
    expect(problemOf({ request: { appArgs: ['abcdefgh', 7, null], supervise: false } })).toBe('');
  });

  it.each(['pi.jar', 'modules.zip', 'modules.egg', 'modules.WHL'])(
    'does not look into %s, where all is compressed',
    (name) => {
      expect(problemOf({ [name]: new TextEncoder().encode(password) })).toBe('');
    },
  );

  it.each(['crypto', 'postgres', 'x9!', 'abcdefghijklmno'])('takes the password %j for a word', (value) => {
    const plain = [{ name: 'POSTGRES_PASSWORD', value }];
    expect(() => requireNoSecret(plain, { text: `import ${value}` })).not.toThrow();
    expect(withoutSecrets(plain, `import ${value}`)).toBe(`import ${value}`);
  });
});

it('redacts every form, and the longer of two that begin alike as a whole', () => {
  const text = `a ${password} b ${encodeURIComponent(password)} c abcdefgh-1-and-more d abcdefgh-1 abcdefgh-1`;
  expect(withoutSecrets(secrets, text)).toBe(
    'a <POSTGRES_PASSWORD> b <POSTGRES_PASSWORD> c <LONGER> d <SPARK_REST_KEY> <SPARK_REST_KEY>',
  );
});
