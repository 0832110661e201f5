import { describe, expect, it } from 'vitest';
import { pageHeaders, refusalOf } from '../../../src/dashboard/admission.js';

const asked = (headers: Readonly<Record<string, string>>, method = 'GET', isPage = false) =>
  refusalOf({ method, headers: { host: '127.0.0.1:8091', ...headers } }, { port: 8091, isPage })?.status;

describe('a request to the page', () => {
  it.each(['127.0.0.1:8091', 'localhost:8091', '[::1]:8091'])('may name it %s', (host) => {
    expect(asked({ host })).toBeUndefined();
  });

  it.each(['evil.example:8091', '127.0.0.1:8092', '127.0.0.1', ''])('may not name it %j', (host) => {
    expect(asked({ host })).toBe(403);
  });

  it('may not come from a page of another site, but a link may lead to it', () => {
    expect(asked({ origin: 'http://evil.example' })).toBe(403);
    expect(asked({ origin: 'http://localhost:8091' })).toBeUndefined();
    expect(asked({ 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(asked({ 'sec-fetch-site': 'cross-site' }, 'GET', true)).toBeUndefined();
    expect(asked({ 'sec-fetch-site': 'same-origin' })).toBeUndefined();
  });

  it('only reads', () => {
    expect(asked({}, 'HEAD')).toBeUndefined();
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) expect(asked({}, method)).toBe(405);
  });
});

it('the page may load nothing from elsewhere', () => {
  const policy = pageHeaders['content-security-policy'] ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/https?:|unsafe|\*/);
});
