import type { SearchReply, SearchRequest } from '../messages';
import { vscodePort } from '../vscodePort';
import { searchView } from './view';

searchView(document.getElementById('root')!, vscodePort<SearchRequest, SearchReply>());
