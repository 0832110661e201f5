import { describeOutages, exchangeOutage } from '../support/outage.js';

describeOutages('an exchange that is gone for long', 'outage-exchange-long', [
  exchangeOutage('the exchange', [{ exchange: 'outage', seconds: 600 }], { seconds: 600 }),
]);
