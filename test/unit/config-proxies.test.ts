import { expect, it } from 'vitest';
import { secretsIn } from '../../src/config-sources.js';
import { withoutSecrets } from '../../src/core/secrets.js';

const secret = ['k7', 'Qx', '2m', 'Zp'].join('-');

it.each([
  ['HTTPS_PROXY', `http://alice:${secret}@proxy.test:3128`, [secret]],
  ['http_proxy', `alice:${secret}@proxy.test:3128`, [secret]],
  ['ALL_PROXY', `socks5://alice:${secret}%21@proxy.test`, [`${secret}%21`, `${secret}!`]],
  ['HTTPS_PROXY', `http://alice:${secret}%@proxy.test`, [`${secret}%`]],
  ['HTTPS_PROXY', 'http://proxy.test:3128', []],
  ['HTTPS_PROXY', 'http://alice@proxy.test:3128', []],
  ['HTTPS_PROXY', 'http://alice:@proxy.test:3128', []],
  ['NO_PROXY', `alice:${secret}@proxy.test`, []],
])('%s=%s holds the secrets %j', (name, value, expected) => {
  const found = secretsIn({ [name]: value });
  expect(found).toEqual(expected.map((one) => ({ name, value: one })));
  if (expected.length > 0) expect(withoutSecrets(found, `at ${value}`)).not.toContain(secret);
});
