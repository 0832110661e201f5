import { describeOutages, killed } from '../support/outage.js';

describeOutages('a warehouse that is gone for long', { name: 'outage-servers-long', portOffset: 12_000 }, [
  killed(['postgres'], { seconds: 600, healthyWithinSeconds: 120, named: /^postgres: / }),
]);
