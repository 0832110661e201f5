import { describeOutages, exchangeOutage } from '../support/outage.js';

const expected = {
  seconds: 180,
  healthyWithinSeconds: 60,
  named: /^producers: the producer \(.*\) waits for exchange/,
};

describeOutages('an exchange that is gone', { name: 'outage-gone', portOffset: 12_000 }, [
  exchangeOutage('the exchange', [{ exchange: 'outage', seconds: 180 }], expected),
  {
    name: 'DNS',
    // What is connected stays connected without DNS, so it is cut.
    begin: async (service) => {
      await service.failDns('EAI_AGAIN');
      await service.order({ exchange: 'outage', seconds: 0.5 });
    },
    end: (service) => service.failDns(undefined),
    ...expected,
  },
]);
