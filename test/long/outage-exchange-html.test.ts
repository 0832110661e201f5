import { describeOutages, restOutage } from '../support/outage.js';

describeOutages('an exchange behind a web page', 'outage-html', [restOutage('HTML answers', 'html')]);
