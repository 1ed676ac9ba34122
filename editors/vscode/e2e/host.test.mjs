// mocha inside the real extension host; its report is checked here.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BOOKS, existsSync, EXTENSION, open, until } from './world.mjs';

test('the suite passes inside the extension host', async () => {
  const world = await open({ files: BOOKS, vsix: null, driver: true, settings: { 'codemoat.ask.answer_tokens': 60 } });
  try {
    await world.workbench([
      ['extensionDevelopmentPath', world.remote(EXTENSION)],
      ['extensionTestsPath', world.remote(join(EXTENSION, 'dist/test/host/index.js'))],
    ]);
    const file = join(world.home, 'mocha.json');
    await until(() => existsSync(file), 'the report of mocha', 200_000);
    const { passed, failed } = JSON.parse(readFileSync(file, 'utf8'));
    passed.forEach((title) => console.log(`passed: ${title}`));
    assert.deepEqual(failed.map(({ title, error }) => `${title}: ${error}`), []);
    assert.ok(passed.length >= 12);
  } finally {
    await world.close();
  }
});
