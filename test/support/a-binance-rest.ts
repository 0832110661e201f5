import { binanceRest, type BinanceOptions } from '../../src/adapters/binance-rest.js';
import { WeightBudget } from '../../src/adapters/binance-weight.js';
import { systemClock } from '../../src/adapters/system-clock.js';
import { Outages } from '../../src/core/outages.js';
import { directHttp } from '../../src/http/http-client.js';
import type { Exchange, ExchangeWait } from '../../src/core/ports/exchange.js';

/** The client of the exchange with a budget of its own; a test changes what it is about. */
export function aBinanceRest(
  options: Pick<BinanceOptions, 'baseUrl'> & Partial<BinanceOptions>,
  onWait: (wait: ExchangeWait) => void = () => undefined,
): Exchange {
  const clock = options.clock ?? systemClock;
  return binanceRest({
    clock,
    client: directHttp,
    budget: new WeightBudget(clock, onWait),
    outages: new Outages(),
    giveUpAfterMs: 60_000,
    ...options,
  });
}
