import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/core/errors.js';
import { openEndOf, requireNoSecret, withoutSecrets, type KnownSecret } from '../../../src/core/secrets.js';

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
    ['in a Basic header', `Basic ${Buffer.from(`crypto:${password}`).toString('base64')}`],
    ['in base64, one byte after a group', Buffer.from(`x${password} and more`).toString('base64')],
    ['in base64, two bytes after a group', Buffer.from(`xx${password} and more`).toString('base64')],
    ['in base64url, one byte after a group', Buffer.from(`x${password} and more`).toString('base64url')],
    ['in an address, in lower case', encodeURIComponent(password).toLowerCase()],
    ['in a form', new URLSearchParams({ password }).toString()],
    ['in an attribute of XML', `a="${password.replaceAll('"', '&quot;').replaceAll('>', '&gt;')}"`],
    ['between tags of XML', `<a>${password.replaceAll('>', '&gt;')}</a>`],
    ['in JSON without other characters than ASCII', '"p\\"\\u00e4/ss word-?>?"'],
    ['in JSON inside JSON', JSON.stringify(JSON.stringify({ password }))],
    ['in hex', Buffer.from(password).toString('hex')],
    ['in hex of capital letters', Buffer.from(password).toString('hex').toUpperCase()],
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

it.each([
  ['a text', 0],
  ['the word abcdef', 6],
  ['abcdefgh-1-and-mor', 18],
  ['abcdefgh-1-and-more', 0],
])('knows how much of the end of %j may be the beginning of a secret', (text, length) => {
  const letters = [{ name: 'LONGER', value: 'abcdefgh-1-and-more' }];
  expect(openEndOf(letters, text)).toBe(length);
});

it('finds a secret of each kind of writing that a quote needs', () => {
  const quoted = [{ name: 'POSTGRES_PASSWORD', value: "it's&so<hidden" }];
  for (const text of [
    "it''s&so<hidden",
    "it'\\''s&so<hidden",
    'it&apos;s&amp;so&lt;hidden',
    'it&#39;s&amp;so&lt;hidden',
    "it's&amp;so&lt;hidden",
    'it%27s%26so%3Chidden',
    'it%27s%26so%3chidden',
  ])
    expect(withoutSecrets(quoted, text)).toBe('<POSTGRES_PASSWORD>');
});
