/** The server's own methods (docs/protocol.md); shapes as in docs/schemas/lsp. */

export interface Position {
  line: number;
  character: number;
}

export interface Range {
  start: Position;
  end: Position;
}

export interface Place {
  uri: string;
  /** Relative to the folder. */
  path: string;
  range: Range;
}

export interface FolderStatus {
  uri: string;
  name: string;
  state: 'off' | 'indexing' | 'ready' | 'failed' | 'stopped';
  problem: string;
  progress?: { stage?: string; files_done?: number; files_total?: number } | null;
  files?: number;
}

export interface Status {
  version: string;
  suggestions: {
    enabled: boolean;
    automatic: boolean;
    snoozedSeconds: number;
    languagesOff: string[];
    counts: Record<string, number>;
  };
  model: {
    name: string;
    loaded: string;
    state: 'unused' | 'loading' | 'ready' | 'missing' | 'failed';
    problem: string;
  };
  folders: FolderStatus[];
  documents: number;
}

export interface Why {
  id: string;
  uri: string;
  line: number;
  character: number;
  trigger: 'automatic' | 'invoked' | 'popup';
  outcome: 'suggested' | 'nothing' | 'cancelled' | 'off' | 'failed';
  reason: string;
  text: string;
  reused: boolean;
  /** Snippets of other files in the prompt, as `path:first-last`. */
  context: string[];
  timings: Record<string, number>;
  fate: string;
  acceptedCharacters: number;
  at: number;
}

export interface Hit extends Place {
  /** The path to show, with its folder's name where several are open. */
  label?: string;
  language: string;
  /** The definition that matched. */
  symbol: string | null;
  /** The line that matched, counted from 0 as in `range`. */
  matchLine: number;
  /** One or two stretches around that line. */
  preview: { line: number; text: string }[];
  text: string;
  score: number;
  reasons: Record<string, number>;
}

/** See docs/schemas/lsp/search-params.json. */
export interface SearchFilters {
  globs?: string[];
  languages?: string[];
  kinds?: string[];
  since?: string;
}

export interface SearchResult {
  hits: Hit[];
  stale: boolean;
  /** One sentence about a part of an index that is damaged and was left out; empty: none. */
  problem: string;
}

export interface Source extends Place {
  number: number;
  symbol: string | null;
  origin: 'index' | 'editor';
}

export interface Citation extends Place {
  /** As it stands in the answer, brackets included. */
  text: string;
}

export interface ChatHead {
  conversation: string;
  title: string;
  created: number;
  updated: number;
  questions: number;
}

export type StopReason = 'stop' | 'length' | 'cancelled';

export interface ChatAnswer extends ChatHead {
  answer: string;
  sources: Source[];
  citations: Citation[];
  model: string;
  stopReason: StopReason;
  dropped: number;
  unverified: string[];
  notSaved: string;
}

export interface ChatConversation extends ChatHead {
  turns: { question: string; answer: string; sources: Source[]; model: string; stopReason: StopReason; at: number }[];
}

export interface ChatList {
  conversations: ChatHead[];
  problems: string[];
}

export interface ChatEvent {
  /** Null while a new conversation waits for the index and has no id yet. */
  conversation: string | null;
  token: string | number | null;
  kind: 'sources' | 'waiting' | 'delta';
  sources?: Source[];
  stale?: boolean;
  /** The next piece; of `waiting`: why there is none yet, empty when that is over. */
  text?: string;
}
