import { describeOutages, exchangeOutage } from '../support/outage.js';

const [seconds, how] = [180, '403'];

describeOutages('a firewall', 'outage-firewall', [
  exchangeOutage(
    '403',
    [
      { rest: 'outage', seconds, how },
      { stream: 'outage', seconds, how },
    ],
    {
      // After a 403 no call is made for three minutes: the last one may be just before the end.
      healthyWithinSeconds: 240,
    },
  ),
]);
