import { describeOutages, killed } from '../support/outage.js';

describeOutages('a stack without PostgreSQL', 'outage-postgres', [
  killed(['postgres'], { named: /^postgres: / }),
]);
