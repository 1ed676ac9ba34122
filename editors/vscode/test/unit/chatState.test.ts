import * as assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChatAnswer, Source } from '../../src/protocol';
import type { ChatReply } from '../../web/messages';
import { busy, cited, EMPTY, next, type ChatState } from '../../web/chat/state';

const range = (first: number, last: number) => ({ start: { line: first - 1, character: 0 }, end: { line: last, character: 0 } });
const SOURCE: Source = { number: 1, symbol: null, origin: 'index', uri: 'file:///a.py', path: 'a.py', range: range(1, 10) };
const ANSWER: ChatAnswer = {
  conversation: 'c', title: 'T', created: 1, updated: 1, questions: 1, answer: 'Yes.', sources: [SOURCE], citations: [], model: 'm',
  stopReason: 'stop', dropped: 0, unverified: [], notSaved: '',
}; // prettier-ignore

function after(...replies: ChatReply[]): ChatState {
  return replies.reduce(next, EMPTY);
}

test('an answer waits, streams and is done; only then may be asked again', () => {
  const asked = after({ kind: 'asked', question: 'Q', conversation: null });
  assert.ok(busy(asked));
  const streaming = next(next(asked, { kind: 'sources', sources: [SOURCE], stale: true }), { kind: 'delta', text: 'Ye' });
  assert.ok(busy(streaming));
  assert.deepEqual([streaming.turns[0]!.answer, streaming.turns[0]!.stale], ['Ye', true]);
  const done = next(streaming, { kind: 'done', answer: ANSWER });
  assert.equal(busy(done), false);
  assert.deepEqual([done.conversation, done.title, done.turns[0]!.answer], ['c', 'T', 'Yes.']);
});

test('why an answer waits is known until it begins', () => {
  const asked = after({ kind: 'asked', question: 'Q', conversation: null }, { kind: 'sources', sources: [SOURCE], stale: false });
  const held = next(asked, { kind: 'waiting', text: 'Waiting: …' });
  assert.deepEqual([held.turns[0]!.state, held.turns[0]!.why, busy(held)], ['waiting', 'Waiting: …', true]);
  assert.equal(next(held, { kind: 'waiting', text: '' }).turns[0]!.why, '');
  assert.equal(next(held, { kind: 'delta', text: 'Yes' }).turns[0]!.state, 'streaming');
});

test('what there is to say about an answer is said', () => {
  const notes = (part: Partial<ChatAnswer>) =>
    after({ kind: 'asked', question: 'Q', conversation: null }, { kind: 'done', answer: { ...ANSWER, ...part } }).turns[0]!.notes;
  assert.deepEqual(notes({}), []);
  assert.deepEqual(notes({ stopReason: 'cancelled' }), ['Stopped.']);
  assert.match(notes({ stopReason: 'length' })[0]!, /ask\.answer_tokens/);
  assert.deepEqual(notes({ unverified: ['a', 'b'], notSaved: 'Full.' }), ['Not found in the code: a, b.', 'Full.']);
});

test('a saved answer cites places inside of what it, or an earlier one, was given', () => {
  const text = '[a.py:2-3] [a.py:2-11] [b.py:1-2] [a.py:2]';
  assert.deepEqual(cited(text, [SOURCE]).map((each) => each.text), ['[a.py:2-3]']);
  const turn = { question: 'Q', model: 'm', stopReason: 'stop' as const, at: 1 };
  const turns = [{ ...turn, answer: 'x', sources: [SOURCE] }, { ...turn, answer: '[a.py:4-4]', sources: [] }];
  const { title, conversation, created, updated, questions } = ANSWER;
  const state = after({ kind: 'conversation', conversation: { title, conversation, created, updated, questions, turns } });
  assert.equal(state.turns[1]!.citations.length, 1);
});

test('a deleted conversation leaves the screen, another one only the list', () => {
  const shown = after({ kind: 'asked', question: 'Q', conversation: null }, { kind: 'done', answer: ANSWER });
  const listed = next(shown, { kind: 'history', conversations: [{ ...ANSWER }], problems: [] });
  assert.equal(next(listed, { kind: 'deleted', conversation: 'c' }).turns.length, 0);
  const other = next(listed, { kind: 'deleted', conversation: 'd' });
  assert.deepEqual([other.turns.length, other.history?.length], [1, 1]);
});

test('what comes of an answer that nobody waits for changes nothing', () => {
  const late: ChatReply[] = [
    { kind: 'sources', sources: [SOURCE], stale: true },
    { kind: 'delta', text: 'late' },
    { kind: 'done', answer: ANSWER },
    { kind: 'failed', message: 'late' },
  ];
  const asked: ChatReply = { kind: 'asked', question: 'Q', conversation: null };
  const { title, created, updated, questions } = ANSWER;
  const turn = { question: 'R', answer: 'x', sources: [], model: 'm', stopReason: 'stop' as const, at: 1 };
  const other: ChatReply = { kind: 'conversation', conversation: { title, conversation: 'd', created, updated, questions, turns: [turn] } };
  for (const shown of [after(asked, { kind: 'new' }), after(asked, other), after(asked, { kind: 'done', answer: { ...ANSWER, conversation: 'e' } })]) {
    for (const reply of late) {
      assert.deepEqual(next(shown, reply), shown);
    }
  }
});
