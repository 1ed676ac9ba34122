/** Saved conversations: open, rename, delete. */

import type { ChatHead } from '../../src/protocol';
import { button, element } from '../dom';
import type { ChatRequest } from '../messages';

export function historyList(conversations: readonly ChatHead[], post: (message: ChatRequest) => void): HTMLElement {
  if (conversations.length === 0) {
    return element('p', {}, 'No saved conversation about this folder.');
  }
  const rows = conversations.map(({ conversation, title, updated, questions }) => {
    const when = new Date(updated * 1000).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
    const count = questions === 1 ? '1 question' : `${questions} questions`;
    const open = button(title, () => post({ kind: 'openConversation', conversation }), { class: 'open' });
    return element(
      'li',
      {},
      open,
      element('span', { class: 'hint' }, `${when}, ${count}`),
      element(
        'span',
        { class: 'tools' },
        button('Rename', () => post({ kind: 'rename', conversation, title }), { 'aria-label': `Rename ${title}` }),
        button('Delete', () => post({ kind: 'delete', conversation, title }), { 'aria-label': `Delete ${title}` }),
      ),
    );
  });
  return element('nav', { 'aria-label': 'Saved conversations' }, element('ul', {}, ...rows));
}
