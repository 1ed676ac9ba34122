// A day in a real VS Code with the real server and the real model, and with no network: suggestions, search, chat,
// settings, a killed server. Takes the pictures of the README on the way.
import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { PROJECT } from './project.mjs';
import { GIVEN, open, setSettings, until } from './world.mjs';

const READY = /ready, 5 files/;
const WIDE = { width: 1180, height: 740 };
let world;

before(async () => {
  assert.deepEqual(Object.keys(networkInterfaces()), ['lo']);
  await assert.rejects(fetch('https://example.org', { signal: AbortSignal.timeout(5000) }));
  world = await open({ files: PROJECT, theme: 'dark', size: WIDE, settings: { 'codemoat.ask.answer_tokens': 100 } });
  await world.workbench();
  await world.openFile('use.py');
  await world.waitForStatus(READY);
});
after(() => world?.close());

const type = (text) => world.page.keyboard.type(text, { delay: 40 });

async function newLine() {
  await world.page.keyboard.press('Escape');
  await world.toEnd();
  await type('\n');
}

async function picture(name) {
  // Fonts and icons are loaded, carets and progress are still.
  await world.page.waitForTimeout(600);
  await world.page.screenshot({ path: join(GIVEN.pictures, `${name}.png`), animations: 'disabled', caret: 'hide' });
}

/** The number of the line the cursor is in. */
async function cursorLine() {
  const position = await world.page.locator('.statusbar-item[id="status.editor.selection"]').textContent();
  return /Ln (\d+)/.exec(position ?? '')?.[1];
}

test('a suggestion needs a definition of another file, and Tab takes it', async () => {
  await newLine();
  await type('owed = ledger.out');
  await world.waitForGhost(/^standing_balance\(/);
  await world.page.keyboard.press('Tab');
  assert.match(await world.saved('use.py'), /owed = ledger\.outstanding_balance\(/);
  await until(() => world.ghostText().then((text) => !text.startsWith('standing')), 'the suggestion to go');
});

test('typing through a suggestion leaves the rest of it standing', async () => {
  await newLine();
  await type('due = ledger.out');
  const ghost = await world.waitForGhost(/^standing/);
  await type('stan');
  await until(async () => {
    const rest = await world.ghostText();
    return rest.length > 0 && rest.startsWith(ghost.slice(4));
  }, `the rest of ${ghost}`);
});

test('a word is taken, then the rest', async () => {
  await newLine();
  await type('left = ledger.outs');
  const ghost = await world.waitForGhost(/^tanding/);
  await world.page.keyboard.press('Control+ArrowRight');
  const rest = await until(async () => {
    const left = await world.ghostText();
    return left && left.length < ghost.length ? left : undefined;
  }, 'a shorter suggestion');
  assert.ok(ghost.endsWith(rest), `${rest} of ${ghost}`);
  await world.page.keyboard.press('Tab');
  assert.match(await world.saved('use.py'), /left = ledger\.outstanding_balance\(/);
});

test('there are others to choose from', async () => {
  await newLine();
  await type('paid = ledger.');
  const first = await world.waitForGhost(/^\w/);
  await world.page.keyboard.press('Alt+]');
  const second = await world.waitForGhost(new RegExp(`^(?!${first.replace(/[^\w]/g, '\\$&')}$)\\w`));
  await world.page.keyboard.press('Alt+[');
  await until(async () => (await world.ghostText()) === first, `${first} after ${second}`);
  await world.page.keyboard.press('Escape');
});

test('Escape takes it away, and the command brings it back', async () => {
  await newLine();
  await type('open_sum = ledger.outs');
  await world.waitForGhost(/^tanding/);
  await world.page.keyboard.press('Escape');
  await until(async () => (await world.ghostText()) === '', 'no suggestion');
  await world.run('codemoat: Suggest Here');
  await world.waitForGhost(/^tanding_balance/);
  await world.page.keyboard.press('Escape');
  await world.saved('use.py');
});

test('the view Why names the files that were read', async () => {
  await world.run('codemoat: Why This Suggestion, or None');
  await world.view('#question');
  await world.openFile('reports.py');
  await world.page.locator('.editor-instance .view-line', { hasText: 'owed' }).click();
  await world.page.keyboard.press('End');
  await type(' ledger.out');
  await world.waitForGhost(/^standing/);
  const rows = world.page.locator('.pane', { hasText: 'Why' }).locator('.monaco-list-row');
  const texts = await until(async () => {
    const all = await rows.allTextContents();
    return all.some((row) => /Read.*accounts\.py:\d+-\d+/.test(row)) ? all : undefined;
  }, 'the row');
  assert.match(texts.join('\n'), /Suggested/);
  await picture('suggestion-dark');
  await world.page.keyboard.press('Tab');
  await world.saved('ledger/reports.py');
});

test('search finds, shows and opens', async () => {
  await world.run('codemoat: Search by Meaning');
  const search = await world.view('#query');
  await search.locator('#query').fill('how much money does somebody owe');
  const hit = search.locator('.hit', { hasText: 'accounts.py' }).first();
  await hit.waitFor();
  assert.match(await hit.locator('.preview').textContent(), /Account/);
  await picture('search-dark');
  await search.locator('#path').fill('web');
  await until(async () => /^web\/money\.ts:\d+$/.test((await search.locator('.hit .path').allTextContents()).join()), 'what is in the folder');
  await search.locator('#path').fill('');
  await hit.waitFor();
  await hit.click();
  await world.page.waitForSelector('.tab.active[data-resource-name="accounts.py"]');
  await world.run('View: Hide Panel');
});

test('a question is typed, the answer streams, and a citation opens its lines', async () => {
  await world.setTheme('light', 'vs');
  await world.run('codemoat: Open Chat');
  const chat = await world.view('#question');
  await chat.locator('#question').click();
  await type('What happens when more is paid out than an account allows?');
  await world.page.keyboard.press('Enter');
  await chat.locator('article[data-state=streaming], article[data-state=done]').waitFor();
  await chat.locator('article[data-state=done]').waitFor();
  assert.ok((await chat.locator('.answer').textContent()).length > 20);
  const citation = chat.locator('.citation').first();
  const [, path, first] = /Open (.*), lines (\d+) to/.exec(await citation.getAttribute('aria-label'));
  assert.equal(path, 'ledger/accounts.py');
  await citation.click();
  await world.page.waitForSelector('.tab.active[data-resource-name="accounts.py"]');
  await until(async () => (await cursorLine()) === first, `line ${first}`);
  assert.ok((await world.page.locator('.view-overlays [class*="ced-"]').count()) > 0, 'lines are lit up');
  await picture('chat-light');
});

test('a selection is offered and sent along', async () => {
  await world.openFile('use.py');
  await world.page.locator('.editor-instance .monaco-editor .view-lines').first().click();
  await world.page.keyboard.press('Control+a');
  const chat = await world.view('#question');
  await until(async () => /use\.py:1-\d+/.test((await chat.locator('.selection').textContent()) ?? ''), 'the offer');
  await chat.locator('#new').click();
  await chat.locator('#question').fill('What is rent here?');
  await chat.locator('#question').press('Enter');
  await chat.locator('summary').click();
  assert.match(await chat.locator('.source').first().textContent(), /^use\.py:1-/);
  await chat.locator('#question').press('Escape');
  await chat.locator('article[data-state=stopped]').waitFor();
});

test('the history brings a conversation back; it is read in a narrow window and in high contrast', async () => {
  const chat = await world.view('#question');
  await chat.locator('#history').click();
  await chat.locator('.history .open', { hasText: 'What happens' }).click();
  await until(async () => /paid out/.test((await chat.locator('.question').first().textContent()) ?? ''), 'the turn');
  await world.run('View: Close All Editors');
  await world.setTheme('high-contrast', 'hc-black');
  await world.page.setViewportSize({ width: 560, height: 740 });
  await chat.locator('summary').click();
  await picture('chat-narrow');
  assert.ok(await chat.locator('#question').isVisible());
  await world.page.setViewportSize(WIDE);
});

test('settings hold at once, and a killed server comes back', async () => {
  await world.openFile('use.py');
  setSettings(world, { 'codemoat.editor.enabled': false });
  await world.waitForStatus(/suggestions are off/);
  setSettings(world, { 'codemoat.editor.enabled': true });
  await world.waitForStatus(READY);
  const [first] = world.servers();
  process.kill(first, 'SIGKILL');
  await until(() => world.servers().some((pid) => pid !== first), 'another server');
  await world.waitForStatus(READY);
  await newLine();
  await type('again = ledger.out');
  await world.waitForGhost(/^standing_balance/);
});

test('the views ask nothing of the network', () => {
  assert.deepEqual(world.outside, []);
});
