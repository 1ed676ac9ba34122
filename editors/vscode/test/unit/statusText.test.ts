import * as assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Status, Why } from '../../src/protocol';
import { describe, reuse, type View } from '../../src/statusText';
import { whyLines } from '../../src/whyText';

const STATUS: Status = {
  version: '1',
  suggestions: { enabled: true, automatic: true, snoozedSeconds: 0, languagesOff: [], counts: {} },
  model: { name: 'small', loaded: 'small', state: 'ready', problem: '' },
  folders: [{ uri: 'file:///a', name: 'a', state: 'ready', problem: '', files: 7 }],
  documents: 1,
};
const WHY: Why = {
  id: '1', uri: 'file:///a/b.py', line: 4, character: 2, trigger: 'automatic', outcome: 'suggested', reason: 'It did.', text: 'x',
  reused: false, context: ['src/led:ger.py:3-9'], timings: { reused_tokens: 90, evaluated_tokens: 10, prompt_ms: 12.4 }, fate: 'shown',
  acceptedCharacters: 0, at: 1,
}; // prettier-ignore

function label(view: Partial<View>): string {
  return describe({ server: 'running', status: STATUS, ...view }).label;
}

test('the item says what is most in the way', () => {
  const model = (state: Status['model']['state']) => ({ status: { ...STATUS, model: { ...STATUS.model, state } } });
  const suggestions = (part: object) => ({ status: { ...STATUS, suggestions: { ...STATUS.suggestions, ...part } } });
  assert.equal(label({}), 'codemoat: ready, 7 files indexed');
  assert.equal(label({ server: 'missing', status: undefined }), 'codemoat: the server is not installed');
  assert.equal(label({ server: 'failed', status: undefined }), 'codemoat: the server is not running');
  assert.equal(label({ server: 'starting', status: undefined }), 'codemoat: starting');
  assert.equal(label(model('missing')), 'codemoat: the model is not on this machine');
  assert.equal(label(model('failed')), 'codemoat: the model failed');
  assert.equal(label(suggestions({ enabled: false })), 'codemoat: suggestions are off');
  assert.equal(label(suggestions({ snoozedSeconds: 61 })), 'codemoat: suggestions snoozed for 2 min');
  assert.equal(label({ ...suggestions({ languagesOff: ['go'] }), language: 'go' }), 'codemoat: suggestions are off for go');
});

test('indexing shows how far it is, a suggestion what it cost', () => {
  const progress = { files_done: 1, files_total: 3 };
  const folders = [{ ...STATUS.folders[0]!, state: 'indexing' as const, progress }];
  assert.equal(describe({ server: 'running', status: { ...STATUS, folders } }).text, '$(sync~spin) codemoat 33 %');
  const shown = describe({ server: 'running', status: STATUS, latency: 120, why: WHY });
  assert.equal(shown.text, '$(sparkle) codemoat 120 ms');
  assert.ok(shown.lines.includes('Last suggestion: 120 ms, 90 of 100 tokens reused'));
});

test('a suggestion that was known already says so', () => {
  assert.equal(reuse({ ...WHY, reused: true }), ', known already');
  assert.equal(reuse({ ...WHY, timings: {} }), '');
  assert.equal(reuse(null), '');
});

test('why: outcome, place, files that were read with where they open, costs', () => {
  const lines = whyLines(WHY);
  assert.deepEqual(lines.map(({ label: shown }) => shown), ['Suggested', 'Asked', 'Text', 'Read', 'Cost', 'Prompt', 'Then']);
  assert.deepEqual(lines[3]!.place, {
    path: 'src/led:ger.py',
    range: { start: { line: 2, character: 0 }, end: { line: 9, character: 0 } },
  });
  assert.equal(whyLines({ ...WHY, context: [] })[3]!.detail, 'no other file');
  assert.equal(whyLines({ ...WHY, outcome: 'off', text: '', context: [] })[0]!.label, 'Off here');
});
