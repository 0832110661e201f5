import { describeOutages, exchangeOutage } from '../support/outage.js';

describeOutages('an exchange without streams', 'outage-stream', [
  exchangeOutage('the stream', [{ stream: 'outage', seconds: 180 }], {
    named: /^producers: the producer \(.*\) waits for exchange stream since/,
  }),
]);
