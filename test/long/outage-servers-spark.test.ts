import { describeOutages, killed } from '../support/outage.js';

describeOutages('a stack without the Spark master', 'outage-spark', [
  killed(['spark-master'], { named: /^spark: / }),
]);
