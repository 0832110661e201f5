import { describeOutages, exchangeOutage } from '../support/outage.js';

describeOutages('an exchange that is gone', 'outage-gone', [
  exchangeOutage('the exchange', [{ exchange: 'outage', seconds: 180 }]),
]);
