/** The search view: a query, filters, hits with previews. Arrow keys walk the hits. */

import DOMPurify from 'dompurify';
import type { Hit } from '../../src/protocol';
import { button, element } from '../dom';
import { highlighted } from '../highlight';
import type { Port, SearchReply, SearchRequest } from '../messages';
import { asked, KINDS, languages, NO_FILTERS, type Filters } from './filters';

const TYPING_MS = 250;

export function searchView(root: HTMLElement, port: Port<SearchRequest, SearchReply>): void {
  let hits: Hit[] = [];
  let filters: Filters = NO_FILTERS;
  /** What the hits on the screen, or those that are waited for, answer. */
  let key = '';
  let number = 0;
  let known: string[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;

  const query = element('input', {
    id: 'query', type: 'search', placeholder: 'Words, names or a question', 'aria-label': 'Search for', maxlength: 10000,
  }); // prettier-ignore
  const language = element('select', { id: 'language', 'aria-label': 'Language' });
  const path = element('input', {
    id: 'path', type: 'text', placeholder: 'Path: src/**, !tests', 'aria-label': 'Paths, separated by commas; with ! not these',
  }); // prettier-ignore
  const kind = element('select', { id: 'kind', 'aria-label': 'Kind of definition' });
  kind.append(...Object.keys(KINDS).map((name) => element('option', { value: name }, name)));
  const since = element('input', {
    id: 'since', type: 'text', placeholder: 'Changed since: main', 'aria-label': 'Only files that differ from this git revision',
  }); // prettier-ignore
  const count = element('p', { class: 'hint', role: 'status', 'aria-live': 'polite' });
  const list = element('ol', { class: 'hits', 'aria-label': 'Hits' });
  root.classList.add('search');
  root.append(
    element('h1', { class: 'unseen' }, 'Search'),
    element(
      'form',
      { class: 'searching', role: 'search', onsubmit: (event) => { event.preventDefault(); search(); } },
      query,
      element('div', { class: 'row' }, language, kind),
      element('div', { class: 'row' }, path, since),
    ),
    count,
    list,
  ); // prettier-ignore

  query.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(search, TYPING_MS);
  });
  for (const each of [language, path, kind, since]) {
    each.addEventListener('input', () => {
      filters = { language: language.value, path: path.value, kind: kind.value, since: since.value };
      clearTimeout(timer);
      timer = setTimeout(search, TYPING_MS);
    });
  }
  root.addEventListener('keydown', (event) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step && event.target !== language && event.target !== kind) {
      event.preventDefault();
      walk(step);
    }
  });
  port.listen(receive);
  const kept = port.load() as { query?: string } | undefined;
  query.value = kept?.query ?? '';
  port.post({ kind: 'ready' });
  search();
  draw();

  function search(): void {
    clearTimeout(timer);
    const text = query.value.trim();
    const wanted = asked(filters);
    const now = text && JSON.stringify([text, wanted]);
    if (now === key) {
      return;
    }
    key = now;
    number += 1;
    port.save({ query: text });
    if (text) {
      count.textContent = 'Searching …';
      port.post({ kind: 'search', number, query: text, filters: wanted });
    } else {
      hits = [];
      draw();
    }
  }

  function receive(reply: SearchReply): void {
    if (reply.kind === 'focus') {
      query.value = reply.query ?? query.value;
      query.focus();
      query.select();
      search();
    } else if (reply.number === number) {
      hits = reply.kind === 'hits' ? reply.hits : [];
      known = filters.language ? known : languages(hits);
      draw(reply.kind === 'failed' ? reply.message : remarks(reply.stale, reply.problem));
    }
  }

  function draw(note = ''): void {
    const options = [...new Set([...known, filters.language])].filter(Boolean);
    language.replaceChildren(
      element('option', { value: '' }, 'All languages'),
      ...options.map((name) => element('option', { value: name }, name)),
    );
    language.value = filters.language;
    list.replaceChildren(...hits.map((hit) => element('li', {}, row(hit))));
    const words = hits.length === 0 && note && !note.startsWith(' ') ? '' : `${hits.length} ${hits.length === 1 ? 'hit' : 'hits'}.`;
    count.textContent = key ? `${words}${note}` : 'Finds code by words, names and meaning.';
  }

  function row(hit: Hit): HTMLElement {
    const at = { line: hit.matchLine, character: 0 };
    const open = (preserveFocus: boolean) =>
      port.post({ kind: 'openPlace', uri: hit.uri, range: { start: at, end: at }, preserveFocus });
    const made = button('', () => open(false), {
      class: 'hit',
      title: `Found by ${Object.keys(hit.reasons).join(', ') || 'its words'}`,
      'aria-label': `${hit.label ?? hit.path}, line ${hit.matchLine + 1}${hit.symbol ? `, ${hit.symbol}` : ''}`,
    });
    made.append(
      element('span', { class: 'path' }, `${hit.label ?? hit.path}:${hit.matchLine + 1}`),
      element('span', { class: 'symbol' }, hit.symbol ?? ''),
      preview(hit),
    );
    made.addEventListener('keydown', (event) => {
      if (event.key === ' ') {
        event.preventDefault();
        open(true);
      }
    });
    return made;
  }

  function walk(step: number): void {
    const stops = [query as HTMLElement, ...list.querySelectorAll<HTMLElement>('button.hit')];
    const at = stops.indexOf(document.activeElement as HTMLElement);
    stops[Math.max(0, Math.min(stops.length - 1, at + step))]?.focus();
  }
}

/** What is to be said after the number of hits. */
function remarks(stale: boolean, problem: string): string {
  return `${stale ? ' The index is older than some files.' : ''}${problem ? ` ${problem}` : ''}`;
}

function preview(hit: Hit): HTMLElement {
  const made = element('code', { class: 'preview' });
  hit.preview.forEach(({ text }, number) => {
    if (number > 0) {
      made.append('…\n');
    }
    const code = number + 1 < hit.preview.length ? `${text}\n` : text;
    const html = highlighted(code, hit.language);
    made.append(
      html === null
        ? code
        : (DOMPurify.sanitize(html, { ALLOWED_TAGS: ['span'], ALLOWED_ATTR: ['class'], RETURN_DOM_FRAGMENT: true }) as unknown as Node),
    );
  });
  return made;
}
