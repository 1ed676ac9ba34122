import * as assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Hit } from '../../src/protocol';
import { filtered, languages, NO_FILTERS } from '../../web/search/filters';

const PATHS = ['src/app/main.py', 'src/app/main.test.ts', 'tests/test_main.py', 'README.md'];
const HITS = PATHS.map((path): Hit => {
  const range = { start: { line: 0, character: 0 }, end: { line: 1, character: 0 } };
  const language = path.endsWith('.py') ? 'python' : path.endsWith('.ts') ? 'typescript' : 'markdown';
  return { uri: `file:///${path}`, path, range, language, symbol: language === 'python' ? 'main' : null, text: '', score: 1, reasons: {} };
});

function paths(path: string): string[] {
  return filtered(HITS, { ...NO_FILTERS, path }).map((hit) => hit.path);
}

test('parts of paths, globs and exclusions', () => {
  assert.deepEqual(paths(''), PATHS);
  assert.deepEqual(paths('MAIN'), PATHS.slice(0, 3));
  assert.deepEqual(paths('*.py'), [PATHS[0], PATHS[2]]);
  assert.deepEqual(paths('src/**'), PATHS.slice(0, 2));
  assert.deepEqual(paths('src/*'), PATHS.slice(0, 2));
  assert.deepEqual(paths('*.test.?s'), [PATHS[1]]);
  assert.deepEqual(paths('!tests, !*.md'), PATHS.slice(0, 2));
  assert.deepEqual(paths('src, !*.ts'), [PATHS[0]]);
  assert.deepEqual(paths('(.+)*'), []);
  assert.deepEqual(paths('!'), PATHS);
});

test('languages with their counts, and definitions only', () => {
  assert.deepEqual(languages(HITS), [['python', 2], ['markdown', 1], ['typescript', 1]]);
  assert.equal(filtered(HITS, { ...NO_FILTERS, language: 'typescript' }).length, 1);
  assert.equal(filtered(HITS, { ...NO_FILTERS, symbols: true }).length, 2);
});
