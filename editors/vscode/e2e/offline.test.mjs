// Without any network but this machine's own: a suggestion and an answer all the same.
import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { BOOKS, open } from './world.mjs';

test('a suggestion and an answer need no network', async () => {
  assert.deepEqual(Object.keys(networkInterfaces()), ['lo']);
  await assert.rejects(fetch('https://example.org', { signal: AbortSignal.timeout(5000) }));
  const world = await open({ files: BOOKS });
  try {
    await world.workbench();
    await world.openFile('use.py');
    await world.waitForStatus(/ready, 2 files/);
    await world.toEnd();
    await world.page.keyboard.type('\nowed = ledger.out', { delay: 40 });
    assert.match(await world.waitForGhost(), /^standing_balance/);
    await world.run('codemoat: Open Chat');
    const chat = await world.view('#question');
    await chat.locator('#question').fill('What does outstanding_balance return?');
    await chat.locator('#question').press('Enter');
    await chat.locator('article[data-state=done] .citation').first().waitFor();
  } finally {
    await world.close();
  }
});
