// Before all is well: no trust, no server, no model. One VS Code goes through all of it.
import assert from 'node:assert/strict';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { BOOKS, existsSync, GIVEN, open, setSettings, until } from './world.mjs';

const READY = /ready, \d files/;
const marker = join(GIVEN.runtime, `ran-${process.pid}`);
let world;

before(async () => {
  const script = `#!/bin/sh\ntouch ${marker}\nexec ${GIVEN.server.join(' ')}\n`;
  // A server too: where trust comes before VS Code has seen the setting go, it runs until then, and nothing fails.
  const named = `touch ${marker}-setting; exec ${GIVEN.server.join(' ')}`;
  const workspace = { 'codemoat.server.command': ['/bin/sh', '-c', named] };
  const files = { ...BOOKS, '.venv/bin/codemoat-lsp': script, '.vscode/settings.json': JSON.stringify(workspace) };
  const settings = {
    'codemoat.server.command': undefined,
    'codemoat.server.source': GIVEN.wheel,
    'security.workspace.trust.startupPrompt': 'never',
  };
  world = await open({ files, settings, trust: false });
  chmodSync(join(world.folder, '.venv/bin/codemoat-lsp'), 0o755);
  await world.workbench();
});
after(() => world?.close());

test('in restricted mode no program of the workspace runs', async () => {
  await world.waitForStatus(/the server is not installed/);
  await world.notification(/needs its server/);
  assert.equal(world.servers().length, 0);
  assert.equal(existsSync(marker), false);
  assert.equal(existsSync(`${marker}-setting`), false);
});

test('once trusted, the environment of the workspace is found', async () => {
  writeFileSync(join(world.folder, '.vscode/settings.json'), '{}');
  assert.equal(existsSync(marker), false);
  // The palette does not always list the command for it.
  await world.page.locator('.statusbar-item', { hasText: 'Restricted Mode' }).first().click();
  await world.page.getByRole('button', { name: 'Trust', exact: true }).first().click();
  await until(() => existsSync(marker), 'the server of the workspace');
  await world.waitForStatus(READY);
});

test('nothing is installed before its commands were read in full', async () => {
  const { page } = world;
  rmSync(join(world.folder, '.venv'), { recursive: true });
  // A server that ends and whose program is gone is not started again, and nothing is told of a restart that failed.
  world.servers().forEach((pid) => process.kill(pid, 'SIGKILL'));
  await world.waitForStatus(/the server is not running/);
  assert.equal(await page.locator('.notification-list-item', { hasText: /Restarting server failed/ }).count(), 0);
  await world.run('codemoat: Restart the Server');
  await world.waitForStatus(/the server is not installed/);
  const dialog = page.locator('.monaco-dialog-box');
  const choose = async () => {
    await world.run('codemoat: Install the Server');
    await page.locator('.quick-input-list .monaco-list-row', { hasText: 'pip, into an environment' }).click();
    await dialog.getByRole('button', { name: 'Run Them in a Terminal' }).waitFor();
  };
  await choose();
  const text = await dialog.textContent();
  assert.match(text, /-m venv .*-m pip install .*\.whl/s);
  assert.ok(text.includes(`install ${GIVEN.wheel}`), text);
  // What Enter presses, and Esc, install nothing.
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await choose();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await world.waitForStatus(/the server is not installed/);
  assert.equal(world.servers().length, 0);
  await choose();
  await dialog.getByRole('button', { name: 'Run Them in a Terminal' }).click();
  await world.waitForStatus(READY);
  await world.run('codemoat: Remove the Installed Server');
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await world.waitForStatus(/the server is not installed/);
});

test('no package index is offered, whatever the setting names', async () => {
  for (const source of ['codemoat', '']) {
    setSettings(world, { 'codemoat.server.source': source });
    const list = world.page.locator('.quick-input-list');
    await until(async () => {
      await world.run('codemoat: Install the Server');
      await list.locator('.monaco-list-row', { hasText: /Choose a (folder|wheel)/ }).first().waitFor();
      const text = await world.page.locator('.quick-input-widget:visible').innerHTML();
      await world.page.keyboard.press('Escape');
      return !/pip, into|uv tool|pipx/.test(text) && (source ? /not ours/.test(text) : /on no package index/.test(text));
    }, `the offer for "${source}"`);
  }
});

test('without a model the offer says what it is, and editing goes on', async () => {
  const none = join(GIVEN.runtime, 'no-models');
  const env = { ...world.serverEnv, CODEMOAT_DATA_DIR: none, CODEMOAT_MODEL_DIR: none };
  setSettings(world, {
    'codemoat.server.command': GIVEN.server,
    'codemoat.server.env': env,
    'codemoat.model.name': 'qwen2.5-coder-0.5b',
  });
  await world.run('codemoat: Restart the Server');
  await world.openFile('use.py');
  const offer = await world.notification(/is not on this machine/);
  assert.match(await offer.textContent(), /licence: Apache-2\.0/);
  await offer.getByRole('button', { name: 'Fetch it (491 MB)' }).waitFor();
  await world.waitForStatus(/the model is not on this machine/);
  await world.toEnd();
  await world.page.keyboard.type('x = 1');
  assert.match(await world.saved('use.py'), /x = 1/);
  await world.run('codemoat: Open Chat');
  const chat = await world.view('#question');
  await chat.locator('#question').fill('What is a ledger?');
  await chat.locator('#question').press('Enter');
  await chat.locator('article[data-state=failed]').waitFor();
  assert.match(await chat.locator('.notes').textContent(), /codemoat models pull/);
});
