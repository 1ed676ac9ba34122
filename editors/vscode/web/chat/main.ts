import type { ChatReply, ChatRequest } from '../messages';
import { vscodePort } from '../vscodePort';
import { chatView } from './view';

chatView(document.getElementById('root')!, vscodePort<ChatRequest, ChatReply>());
