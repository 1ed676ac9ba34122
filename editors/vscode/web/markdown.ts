/** An answer as elements. What a model writes is not trusted: HTML in it is text, and the result is sanitised again. */

import DOMPurify, { type Config } from 'dompurify';
import MarkdownIt from 'markdown-it';
import type { Citation } from '../src/protocol';
import { button, element } from './dom';
import { highlighted } from './highlight';
import { lines } from './lines';

export interface Actions {
  open(place: Pick<Citation, 'uri' | 'range'>): void;
  copy(text: string): void;
  insert?(text: string): void;
}

const markdown = new MarkdownIt({
  html: false,
  linkify: false,
  highlight: (code, language) => highlighted(code, language.toLowerCase()) ?? '',
});
// An image would fetch something, and may tell its server what was asked.
markdown.disable('image');

const ALLOWED: Config = {
  ALLOWED_TAGS: [
    'p', 'br', 'hr', 'em', 'strong', 's', 'code', 'pre', 'span', 'blockquote', 'ul', 'ol', 'li', 'a',
    'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'table', 'thead', 'tbody', 'tr', 'th', 'td',
  ],
  ALLOWED_ATTR: ['class', 'href', 'start'],
  ALLOWED_URI_REGEXP: /^https?:\/\//i,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
}; // prettier-ignore
const CLASSES = /^(hljs-[\w-]+|language-[\w+#.-]+|function_|class_|inherited__|title|language_)$/;

/** Elements of a Markdown text; citations in it are buttons, and blocks of code have theirs. */
export function rendered(text: string, citations: readonly Citation[], actions: Actions): DocumentFragment {
  const fragment = DOMPurify.sanitize(markdown.render(text), ALLOWED) as unknown as DocumentFragment;
  for (const each of fragment.querySelectorAll('[class]')) {
    // Classes of ours would let an answer look like a part of the view.
    each.classList.remove(...[...each.classList].filter((name) => !CLASSES.test(name)));
  }
  for (const link of fragment.querySelectorAll('a')) {
    link.rel = 'noreferrer noopener';
    link.title = link.getAttribute('href') ?? '';
  }
  cite(fragment, citations, actions);
  for (const block of fragment.querySelectorAll('pre')) {
    tool(block, actions);
  }
  return fragment;
}

/** Put a button in place of each citation outside of blocks. */
function cite(fragment: DocumentFragment, citations: readonly Citation[], actions: Actions): void {
  const byText = new Map(citations.map((each) => [each.text, each]));
  if (byText.size === 0) {
    return;
  }
  const walker = document.createTreeWalker(fragment, NodeFilter.SHOW_TEXT);
  const nodes: Text[] = [];
  while (walker.nextNode()) {
    const node = walker.currentNode as Text;
    if (!node.parentElement?.closest('pre, a')) {
      nodes.push(node);
    }
  }
  for (const node of nodes) {
    const parts = split(node.data, byText);
    if (parts.length > 1 || typeof parts[0] !== 'string') {
      node.replaceWith(...parts.map((part) => (typeof part === 'string' ? part : citation(part, actions))));
    }
  }
}

function split(text: string, citations: ReadonlyMap<string, Citation>): (string | Citation)[] {
  const parts: (string | Citation)[] = [];
  let rest = text;
  while (rest) {
    let [at, found]: [number, Citation | undefined] = [rest.length, undefined];
    for (const [shown, each] of citations) {
      const place = rest.indexOf(shown);
      if (place >= 0 && place < at) {
        [at, found] = [place, each];
      }
    }
    if (at > 0) {
      parts.push(rest.slice(0, at));
    }
    if (found) {
      parts.push(found);
    }
    rest = rest.slice(at + (found?.text.length ?? 0));
  }
  return parts;
}

function citation(found: Citation, actions: Actions): HTMLElement {
  const [first, last] = lines(found);
  const name = found.path.split('/').pop() ?? found.path;
  return button(`${name}:${first}${last > first ? `-${last}` : ''}`, () => actions.open(found), {
    class: 'citation',
    title: `${found.path}, lines ${first} to ${last}`,
    'aria-label': `Open ${found.path}, lines ${first} to ${last}`,
  });
}

function tool(block: HTMLPreElement, actions: Actions): void {
  const code = block.textContent ?? '';
  block.tabIndex = 0;
  block.setAttribute('role', 'region');
  block.setAttribute('aria-label', 'Code');
  const tools = element('div', { class: 'tools' });
  tools.append(button('Copy', () => actions.copy(code), { 'aria-label': 'Copy this code' }));
  if (actions.insert) {
    tools.append(button('Insert', () => actions.insert?.(code), { 'aria-label': 'Insert this code at the cursor' }));
  }
  const frame = element('div', { class: 'block' });
  block.replaceWith(frame);
  frame.append(block, tools);
}
