import { describeOutages, exchangeOutage } from '../support/outage.js';

describeOutages('an exchange whose name is not found', 'outage-dns', [
  {
    // What is connected stays connected without DNS, so it is cut.
    ...exchangeOutage('DNS', [{ exchange: 'outage', seconds: 0.5 }]),
    before: (service) => service.failDns('EAI_AGAIN'),
    end: (service) => service.failDns(undefined),
  },
]);
