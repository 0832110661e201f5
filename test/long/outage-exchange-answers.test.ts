import { describeOutages, exchangeOutage, lostOnStream } from '../support/outage.js';

const expected = {
  seconds: 180,
  healthyWithinSeconds: 60,
  named: /^producers: the producer \(.*\) waits for exchange since/,
};

describeOutages('an exchange with wrong answers', { name: 'outage-answers', portOffset: 12_000 }, [
  exchangeOutage('HTML', [lostOnStream, { rest: 'outage', seconds: 180, how: 'html' }], expected),
  exchangeOutage('half of the JSON', [lostOnStream, { rest: 'outage', seconds: 180, how: 'half' }], expected),
]);
