/** Tests of what needs neither an editor nor a page; run by `node --test`. */

import './chatState.test';
import './filters.test';
import './following.test';
import './server.test';
import './statusText.test';
