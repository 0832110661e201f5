import { expect, it } from 'vitest';
import { loadConfig } from '../../src/config.js';

const archiveOf = (env: Record<string, string>): string =>
  loadConfig({}, { HOME: '/home/me', ...env }, '/nonexistent/.env').archiveUrl;

it.each([
  [{}, 'https://data.binance.vision'],
  [{ CRYPTO_API_URL: 'https://data-api.binance.vision/' }, 'https://data.binance.vision'],
  [{ CRYPTO_API_URL: 'http://127.0.0.1:8090/' }, 'http://127.0.0.1:8090'],
  [{ CRYPTO_ARCHIVE_URL: 'https://mirror.example/binance/' }, 'https://mirror.example/binance'],
  [{ CRYPTO_ARCHIVE_URL: '/data/my archive' }, 'file:///data/my%20archive'],
  [{ CRYPTO_ARCHIVE_URL: 'file:///data/archive' }, 'file:///data/archive'],
])('with %j the archive is %s', (env, url) => {
  expect(archiveOf(env)).toBe(url);
});

it('refuses an archive in a place that it cannot read', () => {
  expect(() => archiveOf({ CRYPTO_ARCHIVE_URL: 'ftp://example/' })).toThrow(
    'CRYPTO_ARCHIVE_URL: is neither an http(s) address nor a folder',
  );
});
