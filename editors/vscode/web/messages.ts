/** What views and their host tell each other. The host is VS Code, or any page that has a server to ask. */

import type { ChatAnswer, ChatConversation, ChatHead, Hit, Range, SearchFilters, Source } from '../src/protocol';

/** From the chat view. */
export type ChatRequest =
  | { kind: 'ready' }
  | { kind: 'ask'; question: string; conversation: string | null; withSelection: boolean }
  | { kind: 'regenerate'; conversation: string }
  | { kind: 'stop' }
  | { kind: 'new' }
  | { kind: 'openPlace'; uri: string; range: Range }
  | { kind: 'copy'; text: string }
  | { kind: 'insert'; text: string }
  | { kind: 'list' }
  | { kind: 'openConversation'; conversation: string }
  | { kind: 'rename'; conversation: string; title: string }
  | { kind: 'delete'; conversation: string; title: string };

/** To the chat view. */
export type ChatReply =
  | { kind: 'asked'; question: string; conversation: string | null }
  | { kind: 'sources'; sources: Source[]; stale: boolean }
  | { kind: 'waiting'; text: string }
  | { kind: 'delta'; text: string }
  | { kind: 'done'; answer: ChatAnswer }
  | { kind: 'failed'; message: string }
  | { kind: 'history'; conversations: ChatHead[]; problems: string[] }
  | { kind: 'conversation'; conversation: ChatConversation }
  | { kind: 'deleted'; conversation: string }
  | { kind: 'selection'; label: string | null }
  | { kind: 'new' }
  | { kind: 'focus'; draft?: string };

/** From the search view. */
export type SearchRequest =
  | { kind: 'ready' }
  | { kind: 'search'; number: number; query: string; filters: SearchFilters }
  | { kind: 'openPlace'; uri: string; range: Range; preserveFocus: boolean };

/** To the search view. */
export type SearchReply =
  | { kind: 'hits'; number: number; hits: Hit[]; stale: boolean; problem: string }
  | { kind: 'failed'; number: number; message: string }
  | { kind: 'focus'; query?: string };

/** A view's line to its host; `vscodePort` is one, a page may bring another. */
export interface Port<Out, In> {
  post(message: Out): void;
  listen(receive: (message: In) => void): void;
  /** What is to survive a reload of the view. */
  load(): unknown;
  save(state: unknown): void;
}
