import { expect, it } from 'vitest';
import { archiveUrlOf, streamUrlOf } from '../../../src/core/exchange-hosts.js';

it.each([
  ['https://api.binance.com', 'wss://stream.binance.com:9443', 'https://data.binance.vision'],
  ['https://api3.binance.com', 'wss://stream.binance.com:9443', 'https://data.binance.vision'],
  ['https://api-gcp.binance.com', 'wss://stream.binance.com:9443', 'https://data.binance.vision'],
  ['https://data-api.binance.vision', 'wss://data-stream.binance.vision', 'https://data.binance.vision'],
  ['http://127.0.0.1:8090', 'ws://127.0.0.1:8090', 'http://127.0.0.1:8090'],
  [
    'https://api.binance.com.example.org',
    'wss://api.binance.com.example.org',
    'https://api.binance.com.example.org',
  ],
])('%s streams from %s and has its files at %s', (rest, stream, archive) => {
  expect([streamUrlOf(rest), archiveUrlOf(rest)]).toEqual([stream, archive]);
});
