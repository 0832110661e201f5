/** Binance's own hosts for orders and market data; every other address is a stand-in or a proxy that serves all by itself. */
const tradingHost = /^https:\/\/api(?:\d|-gcp)?\.binance\.com$/;
const marketDataHost = 'https://data-api.binance.vision';

/**
 * Where an exchange pushes its trades, seen from its REST address: on the same host and port unless it is Binance.
 * @see https://github.com/binance/binance-spot-api-docs/blob/master/web-socket-streams.md (general information)
 */
export function streamUrlOf(restUrl: string): string {
  if (restUrl === marketDataHost) return 'wss://data-stream.binance.vision';
  if (tradingHost.test(restUrl)) return 'wss://stream.binance.com:9443';
  return restUrl.replace(/^http/, 'ws');
}

/**
 * Where its daily files lie, seen from its REST address.
 * @see https://github.com/binance/binance-public-data
 */
export const archiveUrlOf = (restUrl: string): string =>
  restUrl === marketDataHost || tradingHost.test(restUrl) ? 'https://data.binance.vision' : restUrl;
