import { describeOutages, restOutage } from '../support/outage.js';

describeOutages('an exchange without REST', 'outage-rest', [restOutage('REST', 'drop')]);
