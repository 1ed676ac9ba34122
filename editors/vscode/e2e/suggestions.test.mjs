// Suggestions as somebody sees them: typed keys, the real server and the real model.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { BOOKS, open } from './world.mjs';

let world;
before(async () => {
  world = await open({ files: BOOKS });
  await world.workbench();
  await world.openFile('use.py');
  await world.waitForStatus(/ready/);
});
after(() => world?.close());

test('a suggestion needs a definition of another file, and Tab takes it', async () => {
  await world.toEnd();
  await world.page.keyboard.type('owed = ledger.out', { delay: 40 });
  const ghost = await world.waitForGhost();
  assert.match(ghost, /^standing_balance\(/);
  await world.page.keyboard.press('Tab');
  assert.ok((await world.saved('use.py')).includes(`owed = ledger.out${ghost}`));
});
