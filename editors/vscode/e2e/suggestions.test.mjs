// Suggestions as somebody sees them: typed keys, the real server and the real model.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { BOOKS, open, until } from './world.mjs';

let world;
before(async () => {
  world = await open({ files: BOOKS });
  await world.workbench();
  await world.openFile('use.py');
  await world.waitForStatus(/ready, 2 files/);
});
after(() => world?.close());
beforeEach(async () => {
  await world.page.keyboard.press('Escape');
  await world.toEnd();
  await world.page.keyboard.type('\n');
});

const type = (text) => world.page.keyboard.type(text, { delay: 40 });

test('a suggestion needs a definition of another file, and Tab takes it', async () => {
  await type('owed = ledger.out');
  const ghost = await world.waitForGhost();
  assert.match(ghost, /^standing_balance\(/);
  await world.page.keyboard.press('Tab');
  assert.ok((await world.saved('use.py')).includes(`owed = ledger.out${ghost}`));
  await until(() => world.ghostText().then((text) => !text.startsWith('standing')), 'the suggestion to go');
});

test('typing through a suggestion leaves the rest of it standing', async () => {
  await type('due = ledger.out');
  const ghost = await world.waitForGhost();
  for (const letter of 'stan') {
    await type(letter);
  }
  await until(async () => (await world.ghostText()) === ghost.slice(4), `the rest of ${ghost}`);
});

test('a word is taken, then the rest', async () => {
  await type('left = ledger.outs');
  const ghost = await world.waitForGhost();
  await world.page.keyboard.press('Control+ArrowRight');
  await until(async () => (await world.ghostText()).length < ghost.length, 'a shorter suggestion');
  const rest = await world.ghostText();
  assert.ok(rest.length > 0 && ghost.endsWith(rest), `${rest} of ${ghost}`);
  await world.page.keyboard.press('Tab');
  assert.ok((await world.saved('use.py')).includes(`left = ledger.outs${ghost}`));
});

test('Escape takes it away, and the command brings it back', async () => {
  await type('open_sum = ledger.outs');
  await world.waitForGhost();
  await world.page.keyboard.press('Escape');
  await until(async () => (await world.ghostText()) === '', 'no suggestion');
  await world.run('codemoat: Suggest Here');
  assert.match(await world.waitForGhost(), /^tanding_balance/);
});

test('the view Why names the file that was read', async () => {
  await type('sum_owed = ledger.out');
  await world.waitForGhost();
  await world.run('codemoat: Why This Suggestion, or None');
  const rows = world.page.locator('.pane', { hasText: 'Why' }).locator('.monaco-list-row');
  await until(async () => (await rows.allTextContents()).some((row) => /Read.*ledger\.py:\d+-\d+/.test(row)), 'the row');
  const texts = (await rows.allTextContents()).join('\n');
  assert.match(texts, /Suggested/);
  assert.match(texts, /Cost.*tokens reused/);
});
