/** The chat view's state: what it was told → what it shows. Pure. */

import type { ChatHead, Citation, Source } from '../../src/protocol';
import type { ChatReply } from '../messages';

export interface Turn {
  question: string;
  answer: string;
  sources: Source[];
  citations: Citation[];
  /** Files changed since they were indexed. */
  stale: boolean;
  state: 'waiting' | 'streaming' | 'done' | 'stopped' | 'failed';
  /** Why there is no word yet, while it waits. */
  why?: string;
  /** What there is to say about the answer, one sentence each. */
  notes: string[];
}

export interface ChatState {
  conversation: string | null;
  title: string;
  turns: Turn[];
  history: ChatHead[] | null;
  /** The selection in the editor, as words; null without one. */
  selection: string | null;
}

export const EMPTY: ChatState = { conversation: null, title: '', turns: [], history: null, selection: null };

/** Whether an answer is on its way. */
export function busy(state: ChatState): boolean {
  const last = state.turns.at(-1);
  return last?.state === 'waiting' || last?.state === 'streaming';
}

export function next(state: ChatState, reply: ChatReply): ChatState {
  switch (reply.kind) {
    case 'asked': {
      const fresh: Turn = {
        question: reply.question, answer: '', sources: [], citations: [], stale: false, state: 'waiting', notes: [],
      }; // prettier-ignore
      return { ...state, conversation: reply.conversation, turns: [...state.turns, fresh], history: null };
    }
    // An answer that nobody waits for is none of this conversation.
    case 'sources':
      return onAnswer(state, { sources: reply.sources, stale: reply.stale });
    case 'waiting':
      return onAnswer(state, { why: reply.text });
    case 'delta':
      return onAnswer(state, { answer: (state.turns.at(-1)?.answer ?? '') + reply.text, state: 'streaming' });
    case 'done': {
      const { answer, sources, citations, conversation, title, stopReason } = reply.answer;
      const ended = stopReason === 'cancelled' ? 'stopped' : 'done';
      const part = { answer, sources, citations, state: ended, notes: notes(reply.answer) } as const;
      return busy(state) ? { ...onAnswer(state, part), conversation, title } : state;
    }
    case 'failed':
      return onAnswer(state, { state: 'failed', notes: [reply.message] });
    case 'history':
      return { ...state, history: reply.conversations };
    case 'conversation': {
      const { conversation, title, turns } = reply.conversation;
      const given: Source[] = [];
      const shown = turns.map((turn): Turn => {
        const ended = turn.stopReason === 'cancelled' ? 'stopped' : 'done';
        // An answer may cite what an earlier question was given.
        given.push(...turn.sources);
        const citations = cited(turn.answer, given);
        return { ...turn, citations, stale: false, state: ended, notes: ended === 'stopped' ? ['Stopped.'] : [] };
      });
      return { ...state, conversation, title, turns: shown, history: null };
    }
    case 'deleted': {
      const history = state.history?.filter((each) => each.conversation !== reply.conversation) ?? null;
      return state.conversation === reply.conversation ? { ...EMPTY, history, selection: state.selection } : { ...state, history };
    }
    case 'selection':
      return { ...state, selection: reply.label };
    case 'new':
      return { ...EMPTY, selection: state.selection };
    case 'focus':
      return state;
  }
}

/** Change the turn that is being answered, if there is one. */
function onAnswer(state: ChatState, part: Partial<Turn>): ChatState {
  const last = state.turns.at(-1);
  return last && busy(state) ? { ...state, turns: [...state.turns.slice(0, -1), { ...last, ...part }] } : state;
}

function notes(answer: Extract<ChatReply, { kind: 'done' }>['answer']): string[] {
  const found: string[] = [];
  if (answer.stopReason === 'cancelled') {
    found.push('Stopped.');
  } else if (answer.stopReason === 'length') {
    found.push('Cut off at the longest length; ask.answer_tokens sets it.');
  }
  if (answer.unverified.length > 0) {
    found.push(`Not found in the code: ${answer.unverified.join(', ')}.`);
  }
  if (answer.notSaved) {
    found.push(answer.notSaved);
  }
  return found;
}

/** A saved answer's citations: places of the form `[path:first-last]` that lie inside one of its sources. */
export function cited(answer: string, sources: readonly Source[]): Citation[] {
  const found = new Map<string, Citation>();
  for (const [text, path, first, last] of answer.matchAll(/\[([^[\]\n]+):(\d+)-(\d+)\]/g)) {
    const [from, to] = [Number(first) - 1, Number(last)];
    const source = sources.find(
      (each) => each.path === path && each.range.start.line <= from && to <= each.range.end.line,
    );
    if (source) {
      const range = { start: { line: from, character: 0 }, end: { line: to, character: 0 } };
      found.set(text, { text, uri: source.uri, path: source.path, range });
    }
  }
  return [...found.values()];
}
