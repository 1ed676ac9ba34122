// The views in a plain page: what they show and post, that no attack runs, that axe-core finds nothing.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { openPage, THEMES } from './page.mjs';
import { ANSWER, answer, ATTACKS, hit, place, SOURCES } from './samples.mjs';
import { until } from './world.mjs';

let opened;
async function chat(options) {
  opened = await openPage('chat', options);
  return opened;
}
async function search(options) {
  opened = await openPage('search', options);
  return opened;
}
afterEach(async () => {
  await opened?.close();
  opened = undefined;
});

async function answered(view, text = ANSWER, more = {}) {
  await view.send({ kind: 'asked', question: 'Where is the balance?', conversation: null });
  await view.send({ kind: 'sources', sources: SOURCES, stale: true });
  for (const piece of text.match(/[^]{1,17}/g) ?? []) {
    await view.send({ kind: 'delta', text: piece });
  }
  await view.send({ kind: 'done', answer: answer(text, more) });
}

test('a question is asked by Enter, and an answer streams, cites, copies and inserts', async () => {
  const view = await chat();
  await view.page.locator('#question').fill('Where is the balance?');
  await view.page.keyboard.press('Shift+Enter');
  await view.page.keyboard.press('Enter');
  assert.deepEqual((await view.posted()).at(-1), { kind: 'ask', question: 'Where is the balance?', conversation: null, withSelection: false });
  await answered(view);
  assert.equal(await view.page.locator('.hljs-keyword').count() > 0, true);
  await view.page.locator('.citation').click();
  assert.deepEqual((await view.posted()).at(-1), { kind: 'openPlace', uri: 'file:///books/ledger.py', range: place('', 8, 10).range });
  await view.page.locator('.block').getByText('Copy').click();
  assert.match((await view.posted()).at(-1).text, /^def outstanding_balance.*\n.*\n.*all of it\n$/);
  await view.page.locator('.block').getByText('Insert').click();
  assert.equal((await view.posted()).at(-1).kind, 'insert');
  await view.page.locator('.copy-answer').click();
  assert.deepEqual((await view.posted()).at(-1), { kind: 'copy', text: ANSWER });
  assert.match(await view.page.locator('.notes').textContent(), /Not found in the code: nonsense_name/);
  assert.deepEqual(view.alarms, []);
});

test('Stop and Escape stop, Regenerate asks again, and only while it makes sense', async () => {
  const view = await chat();
  assert.equal(await view.page.locator('#regenerate').isVisible(), false);
  await view.send({ kind: 'asked', question: 'a', conversation: null });
  assert.equal(await view.page.locator('#send').isVisible(), false);
  await view.page.locator('#stop').click();
  await view.page.locator('#question').press('Escape');
  assert.deepEqual((await view.posted()).slice(-2), [{ kind: 'stop' }, { kind: 'stop' }]);
  await view.send({ kind: 'done', answer: answer('Half', { stopReason: 'cancelled' }) });
  assert.match(await view.page.locator('.notes').textContent(), /Stopped/);
  await view.page.locator('#regenerate').click();
  assert.deepEqual((await view.posted()).at(-1), { kind: 'regenerate', conversation: 'c1' });
  await view.send({ kind: 'asked', question: 'a', conversation: 'c1' });
  await view.send({ kind: 'failed', message: 'The model failed. Try again.' });
  assert.match(await view.page.locator('.notes').last().textContent(), /Try again/);
});

test('New is for the host to do, and an answer that it left changes nothing', async () => {
  const view = await chat();
  await view.send({ kind: 'asked', question: 'first', conversation: null });
  await view.send({ kind: 'delta', text: 'Hal' });
  await view.page.locator('#new').click();
  assert.deepEqual((await view.posted()).at(-1), { kind: 'new' });
  await view.send({ kind: 'new' });
  await view.send({ kind: 'delta', text: 'late' });
  await view.send({ kind: 'done', answer: answer('late') });
  assert.equal(await view.page.locator('article').count(), 0);
  assert.equal(await view.page.locator('.title').textContent(), 'New conversation');
  await view.page.locator('#question').fill('second');
  await view.page.keyboard.press('Enter');
  assert.deepEqual((await view.posted()).at(-1), { kind: 'ask', question: 'second', conversation: null, withSelection: false });
});

test('the history opens, renames and deletes by keys alone', async () => {
  const view = await chat();
  const keys = view.page.keyboard;
  await view.page.locator('#history').focus();
  await keys.press('Enter');
  assert.deepEqual((await view.posted()).at(-1), { kind: 'list' });
  const head = { conversation: 'c1', title: 'Balance', created: 1.7e9, updated: 1.7e9, questions: 2 };
  await view.send({ kind: 'history', conversations: [head], problems: [] });
  await keys.press('Tab');
  await keys.press('Enter');
  assert.deepEqual((await view.posted()).at(-1), { kind: 'rename', conversation: 'c1', title: 'Balance' });
  await keys.press('Tab');
  await keys.press('Enter');
  assert.deepEqual((await view.posted()).at(-1), { kind: 'delete', conversation: 'c1', title: 'Balance' });
  await keys.press('Shift+Tab');
  await keys.press('Shift+Tab');
  await keys.press('Enter');
  assert.deepEqual((await view.posted()).at(-1), { kind: 'openConversation', conversation: 'c1' });
  const turn = { question: 'Q', answer: 'It is [ledger.py:9-9].', sources: SOURCES, model: 'm', stopReason: 'stop', at: 1 };
  await view.send({ kind: 'conversation', conversation: { ...head, turns: [turn] } });
  assert.equal(await view.page.locator('.citation').textContent(), 'ledger.py:9');
  await view.send({ kind: 'conversation', conversation: { ...head, conversation: 'c2', turns: [{ ...turn, question: 'R', answer: 'It is [ledger.py:8-9].' }] } });
  assert.equal(await view.page.locator('.citation').textContent(), 'ledger.py:8-9');
  assert.deepEqual(await view.page.locator('.question').allTextContents(), ['R']);
  assert.equal(await view.page.locator('article').getAttribute('aria-label'), 'R');
  assert.equal(await view.page.locator('.history').isVisible(), false);
});

test('what a screen reader hears is the whole answer, once', async () => {
  const view = await chat();
  const told = view.page.locator('[role=status]');
  await view.send({ kind: 'asked', question: 'a', conversation: null });
  assert.equal(await told.textContent(), 'Looking for code.');
  await view.send({ kind: 'delta', text: 'Hal' });
  assert.equal(await told.textContent(), 'Looking for code.');
  assert.equal(await view.page.locator('.log').getAttribute('aria-busy'), 'true');
  await view.send({ kind: 'done', answer: answer('Half') });
  assert.equal(await told.textContent(), 'Half');
});

test('no attack in an answer, a question, a title, a path or a name runs or loads anything', async () => {
  const view = await chat();
  for (const attack of ATTACKS) {
    const where = place(attack, 1, 2);
    const sources = [{ number: 1, symbol: attack, origin: 'index', ...where }];
    const text = `${attack}\n\n[a:1-2]`;
    await view.send({ kind: 'asked', question: attack, conversation: null });
    await view.send({ kind: 'sources', sources, stale: false });
    await view.send({ kind: 'delta', text });
    const citations = [{ text: '[a:1-2]', ...where }];
    await view.send({ kind: 'done', answer: answer(text, { title: attack, sources, citations, unverified: [attack], notSaved: attack }) });
    await view.send({ kind: 'selection', label: attack });
    await view.send({ kind: 'history', conversations: [{ conversation: attack, title: attack, created: 1, updated: 1, questions: 1 }], problems: [attack] });
  }
  await assertHarmless(view);
});

test('no attack in a hit runs or loads anything', async () => {
  const view = await search();
  for (const attack of ATTACKS) {
    await view.page.locator('#query').fill(attack);
    await view.page.locator('#query').press('Enter');
    const asked = (await view.posted()).at(-1);
    const hits = [hit(attack, attack, { symbol: attack, language: attack }), hit(attack, attack, { reasons: { [attack]: 1 } })];
    await view.send({ kind: 'hits', number: asked.number, hits, stale: false, problem: attack });
    await view.send({ kind: 'failed', number: asked.number, message: attack });
    await view.send({ kind: 'hits', number: asked.number, hits, stale: false, problem: attack });
  }
  await assertHarmless(view);
});

async function assertHarmless(view) {
  await view.page.mouse.move(200, 300);
  const found = await view.page.evaluate(() => {
    const all = [...document.querySelectorAll('#root *')];
    const bad = all.filter((each) => /^(script|style|link|meta|base|iframe|object|embed|img|svg|math|form|template)$/i.test(each.localName) && !each.matches('form.asking, form.searching'));
    const attributes = all.flatMap((each) => [...each.attributes].filter(({ name, value }) => /^on|^style$|^srcdoc$/.test(name) || (name === 'href' && !/^https?:/.test(value))));
    const ids = all.map(({ id }) => id).filter(Boolean);
    const faked = [...document.querySelectorAll('.answer .citation')].filter((each) => each.localName !== 'button');
    return [...bad.map((each) => each.outerHTML), ...attributes.map(({ name, value }) => `${name}=${value}`), ...faked.map((each) => each.outerHTML), ...ids.filter((id, at) => ids.indexOf(id) !== at)];
  });
  assert.deepEqual(found, []);
  assert.deepEqual(view.alarms, []);
  assert.deepEqual([...new Set(view.requests)].sort(), ['/', '/favicon.ico', '/harness.js', '/style.css', '/vscode.css'].filter((url) => view.requests.includes(url)));
}

test('hits are narrowed down, previewed, walked and opened by keys', async () => {
  const view = await search();
  await view.page.locator('#query').fill('balance');
  const asked = async () => (await view.posted()).filter(({ kind }) => kind === 'search').at(-1);
  await until(asked, 'the search while typing');
  const preview = [{ line: 7, text: 'def balance():' }, { line: 40, text: '    return 1' }];
  const hits = [hit('src/ledger.py', 'def balance():\n    return 1', { preview }), hit('web/a.ts', 'let a = 1;', { language: 'typescript' })];
  await view.send({ kind: 'hits', number: 1, hits, stale: false, problem: '' });
  await view.send({ kind: 'hits', number: 0, hits: [], stale: false, problem: '' });
  assert.deepEqual(await view.page.locator('.hit .path').allTextContents(), ['src/ledger.py:9', 'web/a.ts:9']);
  assert.equal(await view.page.locator('.hit .preview').first().textContent(), 'def balance():\n…\n    return 1');
  assert.ok(await view.page.locator('.hit .hljs-keyword').count());
  await view.page.locator('#path').fill('!tests');
  await view.page.locator('#language').selectOption('python');
  await view.page.locator('#kind').selectOption('Functions');
  await view.page.locator('#since').fill('main');
  await until(async () => (await asked()).filters.since, 'the search with filters');
  const { number, filters } = await asked();
  assert.deepEqual(filters, { globs: ['!*tests*'], languages: ['python'], kinds: ['function', 'method', 'constructor', 'macro'], since: 'main' });
  await view.send({ kind: 'failed', number, message: 'There is no revision main.' });
  assert.equal(await view.page.locator('[role=status]').textContent(), 'There is no revision main.');
  await view.send({ kind: 'hits', number, hits: hits.slice(0, 1), stale: true, problem: 'A part is damaged.' });
  assert.equal(await view.page.locator('[role=status]').textContent(), '1 hit. The index is older than some files. A part is damaged.');
  assert.deepEqual(await view.page.locator('#language option').allTextContents(), ['All languages', 'python', 'typescript']);
  await view.page.locator('#query').focus();
  await view.page.keyboard.press('ArrowDown');
  await view.page.keyboard.press('Space');
  assert.equal((await view.posted()).at(-1).preserveFocus, true);
  assert.deepEqual((await view.posted()).at(-1).range.start, { line: 8, character: 0 });
  await view.page.keyboard.press('Enter');
  assert.equal((await view.posted()).at(-1).preserveFocus, false);
});

/** What shows that the pointer is on something, and the contrast of its words. */
function look(view, selector) {
  return view.page.locator(selector).first().evaluate((each) => {
    const rgb = (text) => (text.match(/[\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
    const over = ([r, g, b, a = 1], under) => [r, g, b].map((part, at) => part * a + under[at] * (1 - a));
    const chain = [];
    for (let element = each; element; element = element.parentElement) {
      chain.unshift(rgb(getComputedStyle(element).backgroundColor));
    }
    const background = chain.reduce((under, colour) => over(colour, under), [255, 255, 255]);
    const luminance = (colour) => {
      const [r, g, b] = colour.map((part) => (part / 255 <= 0.03928 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const style = getComputedStyle(each);
    const [light, dark] = [luminance(over(rgb(style.color), background)), luminance(background)].sort((a, b) => b - a);
    const outline = `${style.outlineStyle} ${style.outlineWidth} ${style.outlineColor}`;
    return { outline, background: background.join(), contrast: (light + 0.05) / (dark + 0.05) };
  });
}

for (const [theme, colours] of Object.entries(THEMES)) {
  test(`blocks of code have one background, and what the pointer or a key is on is seen, ${theme}`, async () => {
    const view = await chat({ theme, colours });
    await answered(view);
    const style = (selector, name) => view.page.locator(selector).first().evaluate((each, of) => getComputedStyle(each)[of], name);
    assert.equal(await style('.block pre code', 'backgroundColor'), 'rgba(0, 0, 0, 0)');
    assert.equal(await style('.block pre code', 'color'), await style('.block pre', 'color'));
    const contrast = theme.includes('high-contrast');
    for (const selector of ['#history', '.citation', '.copy-answer', '#send', '.block button', 'summary']) {
      const still = await look(view, selector);
      await view.page.locator(selector).first().hover();
      const hovered = await look(view, selector);
      if (selector !== 'summary' || contrast) {
        assert.notDeepEqual(hovered, still, selector);
      }
      assert.ok(!contrast || hovered.outline.startsWith('dashed 1px'), `${selector}: ${hovered.outline}`);
      assert.ok(hovered.contrast >= 4.5, `${selector}: ${hovered.contrast}`);
      await view.page.mouse.move(1, 1);
    }
    await view.page.locator('#question').focus();
    for (const name of ['#history', '.log', '.citation', '#send']) {
      await view.page.locator(name).first().focus();
      await view.page.keyboard.press('Shift+Tab');
      await view.page.keyboard.press('Tab');
      assert.match((await look(view, name)).outline, /^solid [1-9]/, name);
    }
    await view.close();
    const hits = await search({ theme, colours });
    await hits.send({ kind: 'hits', number: 0, hits: [hit('ledger.py', 'def f():\n    return 1')], stale: false, problem: '' });
    const still = await look(hits, '.hit');
    await hits.page.locator('.hit').hover();
    const hovered = await look(hits, '.hit');
    assert.notDeepEqual(hovered, still);
    assert.ok(hovered.contrast >= 4.5, `${hovered.contrast}`);
  });

  test(`axe-core finds nothing in the views, ${theme}`, async () => {
    const view = await chat({ theme, colours });
    assert.deepEqual(await view.violations(), []);
    await answered(view);
    await view.send({ kind: 'selection', label: 'ledger.py:1-3' });
    await view.send({ kind: 'asked', question: 'again', conversation: 'c1' });
    await view.send({ kind: 'failed', message: 'It failed. Try again.' });
    await view.send({ kind: 'history', conversations: [{ conversation: 'c', title: 'T', created: 1, updated: 1, questions: 1 }], problems: [] });
    await view.page.locator('summary').first().click();
    assert.deepEqual(await view.violations(), []);
    await view.close();
    const hits = await search({ theme, colours });
    await hits.page.locator('#query').fill('balance');
    await hits.page.locator('#query').press('Enter');
    await hits.send({ kind: 'hits', number: 1, hits: [hit('ledger.py', ANSWER), hit('a.py', 'def f(): # note\n    return "text", 12')], stale: true, problem: 'A part is damaged.' });
    assert.deepEqual(await hits.violations(), []);
  });
}
