import { describeOutages, killed } from '../support/outage.js';

describeOutages('a stack without Kafka', 'outage-kafka', [killed(['kafka'], { named: /^kafka: / })]);
