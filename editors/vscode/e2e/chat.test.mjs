// Chat and search in a real VS Code, with the real model.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { BOOKS, open, until } from './world.mjs';

let world;
before(async () => {
  world = await open({ files: BOOKS });
  await world.workbench();
  await world.openFile('use.py');
  await world.waitForStatus(/ready, 2 files/);
});
after(() => world?.close());

/** The number of the first line that is lit up, once some are. */
async function litLine() {
  return until(async () => {
    const position = await world.page.locator('.statusbar-item[id="status.editor.selection"]').textContent();
    return /Ln (\d+)/.exec(position ?? '')?.[1];
  }, 'the position');
}

test('a question is typed, the answer streams, and a citation opens its lines', async () => {
  await world.run('codemoat: Open Chat');
  const chat = await world.view('#question');
  await chat.locator('#question').click();
  await world.page.keyboard.type('What does outstanding_balance return?');
  await world.page.keyboard.press('Enter');
  await chat.locator('article[data-state=streaming], article[data-state=done]').waitFor();
  await chat.locator('article[data-state=done]').waitFor();
  assert.ok((await chat.locator('.answer').textContent()).length > 20);
  const citation = chat.locator('.citation').first();
  const [, path, first] = /Open (.*), lines (\d+) to/.exec(await citation.getAttribute('aria-label'));
  assert.equal(path, 'ledger.py');
  await citation.click();
  await world.page.waitForSelector('.tab.active[data-resource-name="ledger.py"]');
  await until(async () => (await litLine()) === first, `line ${first}`);
  assert.ok((await world.page.locator('.view-overlays [class*="ced-"]').count()) > 0, 'lines are lit up');
});

test('a follow-up goes on with the conversation, and the history brings it back', async () => {
  const chat = await world.view('#question');
  await chat.locator('#question').fill('And where are payments recorded?');
  await chat.locator('#question').press('Enter');
  await until(async () => (await chat.locator('article[data-state=done]').count()) === 2, 'the second answer');
  await chat.locator('#new').click();
  assert.equal(await chat.locator('article').count(), 0);
  await chat.locator('#history').click();
  await chat.locator('.history .open').first().click();
  await until(async () => (await chat.locator('article').count()) === 2, 'both turns');
});

test('a selection is offered and sent along', async () => {
  await world.openFile('ledger.py');
  await world.page.locator('.editor-instance .monaco-editor .view-lines').first().click();
  await world.page.keyboard.press('Control+a');
  const chat = await world.view('#question');
  await until(async () => /ledger\.py:1-\d+/.test((await chat.locator('.selection').textContent()) ?? ''), 'the offer');
  await chat.locator('#new').click();
  await chat.locator('#question').fill('What is this?');
  await chat.locator('#question').press('Enter');
  await chat.locator('article[data-state=done]').waitFor();
  await chat.locator('summary').click();
  assert.match(await chat.locator('.source').first().textContent(), /^ledger\.py:1-/);
});

test('search finds, shows and opens', async () => {
  await world.run('codemoat: Search by Meaning');
  const search = await world.view('#query');
  await search.locator('#query').fill('money still owed');
  const hit = search.locator('.hit', { hasText: 'ledger.py' }).first();
  await hit.waitFor();
  assert.match(await hit.locator('.preview').textContent(), /class Ledger|outstanding_balance/);
  await hit.click();
  await world.page.waitForSelector('.tab.active[data-resource-name="ledger.py"]');
});

test('the views ask nothing of the network', () => {
  assert.deepEqual(world.outside, []);
});
