import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/core/errors.js';
import { proxiesOf, type Environment } from '../../../src/http/proxies.js';

const proxyOf = (environment: Environment, target: string): string | undefined =>
  proxiesOf(environment)(new URL(target))?.url;

describe('the proxy of an address', () => {
  it.each<[string, Environment, string | undefined]>([
    ['http://a.test/', { HTTP_PROXY: 'http://p:1' }, 'http://p:1/'],
    ['http://a.test/', { http_proxy: 'http://p:1', HTTP_PROXY: 'http://q:2' }, 'http://p:1/'],
    ['http://a.test/', { HTTPS_PROXY: 'http://p:1' }, undefined],
    ['https://a.test/', { https_proxy: 'http://p:1' }, 'http://p:1/'],
    ['https://a.test/', { HTTP_PROXY: 'http://p:1' }, undefined],
    ['https://a.test/', { ALL_PROXY: 'socks5://p:1' }, 'socks5://p:1'],
    ['https://a.test/', { all_proxy: 'http://p:1', HTTPS_PROXY: 'http://q:2' }, 'http://q:2/'],
    ['https://a.test/', { https_proxy: '', ALL_PROXY: ' http://p:1 ' }, 'http://p:1/'],
    ['ws://a.test/', { HTTP_PROXY: 'http://p:1' }, 'http://p:1/'],
    ['wss://a.test/', { HTTPS_PROXY: 'http://p:1' }, 'http://p:1/'],
    ['https://a.test/', { HTTPS_PROXY: 'p:3128' }, 'http://p:3128/'],
    ['https://a.test/', { HTTPS_PROXY: 'http://u:s%40cret@p:1' }, 'http://u:s%40cret@p:1/'],
    ['https://a.test/', {}, undefined],
  ])('%s with %j: %s', (target, environment, expected) => {
    expect(proxyOf(environment, target)).toBe(expected);
  });

  it.each([
    'http://localhost:8090/',
    'http://x.localhost/',
    'http://127.0.0.1/',
    'http://127.8.9.1/',
    'ws://[::1]:1/',
  ])('is none on loopback: %s', (target) => {
    expect(proxyOf({ ALL_PROXY: 'http://p:1' }, target)).toBeUndefined();
  });

  it.each<[string, string, boolean]>([
    ['*', 'http://a.test/', true],
    ['a.test', 'http://a.test/', true],
    ['a.test', 'http://A.TEST./', true],
    ['a.test', 'http://b.a.test/', true],
    ['.a.test', 'http://b.a.test/', true],
    ['*.a.test', 'http://b.a.test/', true],
    ['a.test', 'http://ba.test/', false],
    ['other.test, a.test', 'http://a.test/', true],
    ['other.test a.test', 'http://a.test/', true],
    ['a.test:8080', 'http://a.test:8080/', true],
    ['a.test:8080', 'http://a.test/', false],
    ['a.test:80', 'http://a.test/', true],
    ['a.test:443', 'https://a.test/', true],
    ['10.1.2.3', 'http://10.1.2.3/', true],
    ['10.0.0.0/8', 'http://10.1.2.3/', true],
    ['10.0.0.0/8', 'http://11.1.2.3/', false],
    ['10.0.0.0/8', 'http://a.test/', false],
    ['2.3', 'http://10.1.2.3/', false],
    ['[fd00::1]', 'http://[fd00::1]/', true],
    ['fd00::1', 'http://[fd00::1]:9/', true],
    ['fd00::/8', 'http://[fd00::1]/', true],
    ['[fd00::1]:8080', 'http://[fd00::1]/', false],
  ])('NO_PROXY=%s exempts %s: %s', (noProxy, target, isExempt) => {
    const environment = { ALL_PROXY: 'http://p:1', NO_PROXY: noProxy };
    expect(proxyOf(environment, target) === undefined).toBe(isExempt);
  });
});

describe('a value that is no proxy address', () => {
  it.each(['ftp://p:1', 'http://:80', 'http://p:port', 'pac+http://p/x.pac', 'http://u:100%@p:1'])(
    'is refused with the name of its variable, and is not shown: %s',
    (value) => {
      const read = (): unknown => proxiesOf({ https_proxy: value, HTTP_PROXY: value });
      expect(read).toThrow(ConfigError);
      expect(read).toThrow(/^https_proxy is not a proxy address.*\nHTTP_PROXY is not a proxy address/);
      expect(read).not.toThrow(value);
    },
  );

  it('has a label without user and password', () => {
    const proxy = proxiesOf({ HTTPS_PROXY: 'http://user:secret@p:3128' })(new URL('https://a.test/'));
    expect(proxy?.label).toBe('http://p:3128 (HTTPS_PROXY)');
  });
});
