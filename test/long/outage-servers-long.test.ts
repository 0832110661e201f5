import { describeOutages, killed } from '../support/outage.js';

describeOutages('a stack that is without PostgreSQL for long', 'outage-postgres-long', [
  killed(['postgres'], { seconds: 600, named: /^postgres: / }),
]);
