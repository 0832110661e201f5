import { describe, expect, it } from 'vitest';
import { foreignReason, requestUrl } from '../../../src/http/admission.js';

describe('the name of a server', () => {
  it.each([
    ['127.0.0.1:1', {}, true],
    ['localhost', {}, true],
    ['[::1]:1', {}, true],
    ['LOCALHOST:1', {}, true],
    ['sandbox:8090', {}, false],
    ['sandbox:8090', { names: ['Sandbox'] }, true],
    ['sandbox.evil.example', { names: ['sandbox'] }, false],
    ['sandbox@evil.example', { names: ['sandbox'] }, false],
    ['192.168.1.5:8090', {}, false],
    ['192.168.1.5:8090', { hasAnyAddress: true }, true],
    ['[fd00::1]:8090', { hasAnyAddress: true }, true],
    ['evil.example', { hasAnyAddress: true }, false],
    ['localhost:8090', { port: 8091 }, false],
    ['localhost', { port: 80 }, true],
  ])('%s, served as %j: %s', (host, hosts, mayPass) => {
    expect(foreignReason({ host }, hosts) === undefined).toBe(mayPass);
    expect(
      foreignReason({ host: 'localhost', origin: `http://${host}` }, { ...hosts, port: undefined }) ===
        undefined,
    ).toBe(mayPass || host === 'localhost:8090');
  });
});

describe('the path of a request line', () => {
  it.each([
    ['/a?b=1', '/a'],
    ['//', '//'],
    ['//evil.example/a', '//evil.example/a'],
    ['http://evil.example/a', '/a'],
    ['*', undefined],
    ['', undefined],
    ['data:,x', undefined],
    [undefined, undefined],
  ])('%s: %s', (target, path) => {
    expect(requestUrl(target)?.pathname).toBe(path);
  });
});
