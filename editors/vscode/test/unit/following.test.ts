import * as assert from 'node:assert/strict';
import { test } from 'node:test';
import { indented } from '../../src/chat/indent';
import { follow, type Offer } from '../../src/following';

function offer(rest = 'standing_balance()'): Offer {
  return { id: '1', uri: 'file:///a.py', offset: 10, rest, accepted: 0, shown: true };
}

test('letters typed through a suggestion leave the rest of it', () => {
  const made = offer();
  assert.equal(follow(made, { offset: 10, length: 0, text: 's' }), 'typed through');
  assert.equal(follow(made, { offset: 11, length: 0, text: 't' }), 'typed through');
  assert.deepEqual([made.rest, made.offset, made.accepted], ['anding_balance()', 12, 0]);
});

test('a word is accepted in part, and the last part is the whole', () => {
  const made = offer();
  assert.equal(follow(made, { offset: 10, length: 0, text: 'standing_balance' }), 'accepted in part');
  assert.equal(made.accepted, 16);
  assert.equal(follow(made, { offset: 26, length: 0, text: '()' }), 'accepted');
});

test('anything else takes it away', () => {
  assert.equal(follow(offer(), { offset: 10, length: 0, text: 'x' }), 'rejected');
  assert.equal(follow(offer(), { offset: 9, length: 0, text: 's' }), 'rejected');
  assert.equal(follow(offer(), { offset: 9, length: 1, text: '' }), 'rejected');
});

test('inserted code takes the indent of its line, empty lines stay empty', () => {
  assert.equal(indented('a\n\n  b', '    '), 'a\n\n      b');
});
