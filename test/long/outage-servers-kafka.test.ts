import { describeOutages, killed } from '../support/outage.js';

const expected = { seconds: 180, healthyWithinSeconds: 90 };

describeOutages('servers that are gone', { name: 'outage-kafka', portOffset: 12_000 }, [
  killed(['kafka'], { ...expected, named: /^kafka: / }),
  killed(['spark-master'], { ...expected, named: /^spark: / }),
]);
