/** What an answer rests on, shown before it begins. */

import type { Source } from '../../src/protocol';
import { button, element } from '../dom';
import { lines } from '../lines';
import type { Actions } from '../markdown';
import type { Turn } from './state';

export function sourceList(turn: Turn, actions: Actions): HTMLElement[] {
  if (turn.sources.length === 0) {
    return [];
  }
  const count = turn.sources.length === 1 ? '1 place' : `${turn.sources.length} places`;
  const stale = turn.stale ? ' The index is older than some files.' : '';
  const list = element('ul', {}, ...turn.sources.map((source) => element('li', {}, row(source, actions))));
  return [element('details', {}, element('summary', {}, `Rests on ${count}.${stale}`), list)];
}

function row(source: Source, actions: Actions): HTMLElement {
  const [first, last] = lines(source);
  const where = `${source.path}:${first}-${last}`;
  const what = source.symbol ? `, ${source.symbol}` : '';
  return button(where, () => actions.open(source), {
    class: 'source',
    title: `${where}${what}`,
    'aria-label': `Open ${source.path}, lines ${first} to ${last}${what}`,
  });
}
