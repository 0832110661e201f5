import { describeOutages, killed } from '../support/outage.js';

const expected = { seconds: 180, healthyWithinSeconds: 90 };

describeOutages('servers that are gone', { name: 'outage-postgres', portOffset: 12_000 }, [
  killed(['postgres'], { ...expected, named: /^postgres: / }),
  killed(['name-node', 'data-node'], { ...expected, named: /^hdfs: / }),
]);
