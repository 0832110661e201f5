import { describeOutages, exchangeOutage } from '../support/outage.js';

describeOutages('an exchange that is gone for long', { name: 'outage-long', portOffset: 12_000 }, [
  exchangeOutage('the exchange', [{ exchange: 'outage', seconds: 600 }], {
    seconds: 600,
    healthyWithinSeconds: 120,
    named: /^producers: the producer \(.*\) waits for exchange/,
  }),
]);
