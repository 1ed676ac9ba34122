import * as assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Hit } from '../../src/protocol';
import { asked, languages, NO_FILTERS } from '../../web/search/filters';

const globs = (path: string) => asked({ ...NO_FILTERS, path }).globs;

test('words and patterns of paths become patterns that the server knows', () => {
  assert.equal(globs(''), undefined);
  assert.equal(globs(' , !'), undefined);
  assert.deepEqual(globs('ledger'), ['*ledger*', '**/*ledger*/**']);
  assert.deepEqual(globs('src/**, !tests'), ['src/**', '!*tests*']);
  assert.deepEqual(globs('!*.md'), ['!*.md']);
});

test('only what is set is sent', () => {
  assert.deepEqual(asked(NO_FILTERS), {});
  assert.deepEqual(asked({ path: 'src/', language: 'python', kind: 'Types', since: ' main ' }), {
    globs: ['src/'],
    languages: ['python'],
    kinds: ['class', 'interface', 'enum', 'type'],
    since: 'main',
  });
  assert.deepEqual(asked({ ...NO_FILTERS, kind: 'Any text' }), {});
});

test('the languages of hits, the most frequent first', () => {
  const hits = ['markdown', 'python', 'go', 'python'].map((language) => ({ language }) as Hit);
  assert.deepEqual(languages(hits), ['python', 'go', 'markdown']);
});
