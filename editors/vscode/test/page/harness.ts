/** The views in a page of their own: what a test posts is what a host would, and what they post is kept. */

import { chatView } from '../../web/chat/view';
import type { Port } from '../../web/messages';
import { searchView } from '../../web/search/view';

interface Harness {
  posted: unknown[];
  send(message: unknown): void;
  mount(view: 'chat' | 'search'): void;
}

declare global {
  interface Window {
    harness: Harness;
  }
}

function start(): Harness {
  const receivers: ((message: never) => void)[] = [];
  let state: unknown;
  const port: Port<unknown, never> = {
    post: (message) => harness.posted.push(message),
    listen: (receive) => receivers.push(receive),
    load: () => state,
    save: (kept) => (state = kept),
  };
  const harness: Harness = {
    posted: [],
    send: (message) => receivers.forEach((receive) => receive(message as never)),
    mount: (view) => {
      const root = document.getElementById('root')!;
      (view === 'chat' ? chatView : searchView)(root, port as never);
    },
  };
  return harness;
}

window.harness = start();
