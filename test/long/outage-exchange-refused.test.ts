import { describeOutages, exchangeOutage, lostOnStream } from '../support/outage.js';

const expected = { seconds: 180, healthyWithinSeconds: 60 };

describeOutages('an exchange that is gone in part', { name: 'outage-refused', portOffset: 12_000 }, [
  exchangeOutage('REST', [lostOnStream, { rest: 'outage', seconds: 180, how: 'drop' }], {
    ...expected,
    named: /^producers: the producer \(.*\) waits for exchange since/,
  }),
  exchangeOutage('the stream', [{ stream: 'outage', seconds: 180 }], {
    ...expected,
    named: /^producers: the producer \(.*\) waits for exchange stream since/,
  }),
]);
