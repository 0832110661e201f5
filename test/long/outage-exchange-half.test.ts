import { describeOutages, restOutage } from '../support/outage.js';

describeOutages('an exchange whose answers break off', 'outage-half', [restOutage('half JSON', 'half')]);
