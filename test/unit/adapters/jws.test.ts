import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { mintToken } from '../../../src/adapters/jws.js';

/** The key and the signature of RFC 7515, appendix A.1: what it signs is not what we sign, the way to sign is the same. */
const key = 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow';
const signed =
  'eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ';
const sign = (text: string): string =>
  createHmac('sha256', Buffer.from(key, 'base64url')).update(text).digest('base64url');

const partsOf = (token: string): unknown[] =>
  token
    .split('.')
    .slice(0, 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()) as unknown);

it('is signed as the example of the RFC', () => {
  expect(sign(signed)).toBe('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk');
  const token = mintToken(key, 1_700_000_000_999);
  const dot = token.lastIndexOf('.');
  expect(token.slice(dot + 1)).toBe(sign(token.slice(0, dot)));
});

it('is valid for a minute from the second in which it is minted', () => {
  expect(partsOf(mintToken(key, 1_700_000_000_999))).toEqual([
    { alg: 'HS256' },
    { iat: 1_700_000_000, exp: 1_700_000_060 },
  ]);
});
