import { describeOutages, killed } from '../support/outage.js';

describeOutages('a stack without HDFS', 'outage-hdfs', [
  killed(['name-node', 'data-node'], { named: /^hdfs: / }),
]);
