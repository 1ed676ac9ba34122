/** A view's line to VS Code; the only module of the views that knows where it runs. */

import type { Port } from './messages';

declare function acquireVsCodeApi(): {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
};

export function vscodePort<Out, In>(): Port<Out, In> {
  const api = acquireVsCodeApi();
  return {
    post: (message) => api.postMessage(message),
    listen: (receive) => window.addEventListener('message', (event: MessageEvent<In>) => receive(event.data)),
    load: () => api.getState(),
    save: (state) => api.setState(state),
  };
}
