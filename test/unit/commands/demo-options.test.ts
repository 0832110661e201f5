import { expect, it } from 'vitest';
import { demoOptions } from '../../../src/commands/demo/options.js';
import { loadConfig } from '../../../src/config.js';
import { UsageError } from '../../../src/core/errors.js';

const { signal } = new AbortController();
const options = (env: Record<string, string>, isLive: boolean, symbols?: string) =>
  demoOptions(loadConfig({ symbols }, env, '/nonexistent/.env'), isLive, signal);

it('refuses --live where the address is the sandbox', () => {
  for (const url of ['sandbox', 'http://127.0.0.1:8090', 'http://localhost:8090/'])
    expect(() => options({ CRYPTO_API_URL: url }, true)).toThrow(UsageError);
  expect(options({ CRYPTO_API_URL: 'sandbox' }, false).exchangeUrl).toBe('http://127.0.0.1:8090');
  expect(options({ CRYPTO_API_URL: 'http://127.0.0.1:9000' }, true).isLive).toBe(true);
  expect(options({}, true).exchangeUrl).toBe('https://api.binance.com');
});

it('takes the symbols that are typed, else those of the environment, else two', () => {
  expect(options({ CRYPTO_SYMBOL: 'XRPUSDT' }, false, 'ADAUSDT').symbols).toEqual(['ADAUSDT']);
  expect(options({ CRYPTO_SYMBOL: 'XRPUSDT' }, false).symbols).toEqual(['XRPUSDT']);
  expect(options({}, false).symbols).toEqual(['BTCUSDT', 'ETHUSDT']);
});
