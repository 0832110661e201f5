import { describeOutages, exchangeOutage } from '../support/outage.js';

describeOutages('a firewall', { name: 'outage-firewall', portOffset: 12_000 }, [
  exchangeOutage(
    '403',
    [
      { rest: 'outage', seconds: 180, how: '403' },
      { stream: 'outage', seconds: 180, how: '403' },
    ],
    // After a 403 no call is made for three minutes: the last one may be just before the end.
    { seconds: 180, healthyWithinSeconds: 200, named: /^producers: the producer \(.*\) waits for exchange/ },
  ),
]);
