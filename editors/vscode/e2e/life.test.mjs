// The server's life: killed, its settings changed, without a model, without itself, without trust.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { BOOKS, existsSync, GIVEN, open, setSettings, until } from './world.mjs';

let world;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

test('settings hold at once, and a killed server comes back', async () => {
  world = await open({ files: BOOKS });
  await world.workbench();
  await world.openFile('use.py');
  await world.waitForStatus(/ready, 2 files/);
  setSettings(world, { 'codemoat.editor.enabled': false });
  await world.waitForStatus(/suggestions are off/);
  setSettings(world, { 'codemoat.editor.enabled': true });
  await world.waitForStatus(/ready, 2 files/);
  const [first] = world.servers();
  process.kill(first, 'SIGKILL');
  await until(() => world.servers().some((pid) => pid !== first), 'another server');
  await world.waitForStatus(/ready, 2 files/);
  await world.toEnd();
  await world.page.keyboard.type('\nowed = ledger.out', { delay: 40 });
  assert.match(await world.waitForGhost(), /^standing_balance/);
});

test('without a model the offer says what it is, and editing goes on', async () => {
  const none = join(GIVEN.runtime, 'no-models');
  const settings = { 'codemoat.model.name': 'qwen2.5-coder-0.5b' };
  world = await open({ files: BOOKS, settings, env: { CODEMOAT_DATA_DIR: none, CODEMOAT_MODEL_DIR: none } });
  await world.workbench();
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

test('without a server nothing is installed before its commands were shown and chosen', async () => {
  const settings = { 'codemoat.server.command': [], 'codemoat.server.source': GIVEN.wheel };
  world = await open({ files: BOOKS, settings });
  await world.workbench();
  const offer = await world.notification(/needs its server/);
  await world.waitForStatus(/the server is not installed/);
  assert.equal(world.servers().length, 0);
  await offer.getByRole('button', { name: 'Install …' }).click();
  const row = world.page.locator('.quick-input-list .monaco-list-row', { hasText: 'pip, into an environment' });
  assert.match(await row.textContent(), /-m venv .*&&.*-m pip install .*\.whl/);
  await world.openFile('use.py').catch(() => undefined);
  if (!(await row.isVisible())) {
    await world.run('codemoat: Install the Server');
  }
  await row.click();
  await world.waitForStatus(/ready, 2 files/);
  await world.run('codemoat: Remove the Installed Server');
  await world.page.locator('.monaco-dialog-box').getByRole('button', { name: 'Remove' }).click();
  await world.waitForStatus(/the server is not installed/);
});

test('in restricted mode no program of the workspace runs', async () => {
  const marker = join(GIVEN.runtime, `ran-${process.pid}`);
  const script = `#!/bin/sh\ntouch ${marker}\nexec ${GIVEN.server.join(' ')}\n`;
  const workspace = { 'codemoat.server.command': ['/bin/touch', `${marker}-setting`] };
  const files = { ...BOOKS, '.venv/bin/codemoat-lsp': script, '.vscode/settings.json': JSON.stringify(workspace) };
  world = await open({ files, settings: { 'codemoat.server.command': undefined, 'security.workspace.trust.startupPrompt': 'never' }, trust: false });
  chmodSync(join(world.folder, '.venv/bin/codemoat-lsp'), 0o755);
  await world.workbench();
  await world.waitForStatus(/the server is not installed/);
  assert.equal(existsSync(marker), false);
  assert.equal(existsSync(`${marker}-setting`), false);
  // Trusted, the setting of the workspace goes; its environment is found.
  mkdirSync(join(world.folder, '.vscode'), { recursive: true });
  writeFileSync(join(world.folder, '.vscode/settings.json'), '{}');
  await world.run('Workspaces: Manage Workspace Trust');
  await world.page.getByRole('button', { name: 'Trust', exact: true }).first().click();
  await until(() => existsSync(marker), 'the server of the workspace', 30_000);
});
