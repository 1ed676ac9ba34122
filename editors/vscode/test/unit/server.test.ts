import * as assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findServer, inEnvironment, type Places } from '../../src/server/find';
import { methods, typed } from '../../src/server/methods';
import { refused } from '../../src/server/source';
import { declaredKeys, explicitSettings } from '../../src/settings';

function world() {
  const root = mkdtempSync(join(tmpdir(), 'find'));
  const program = (file: string, mode = 0o755) => {
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, '');
    chmodSync(file, mode);
    return file;
  };
  const places: Places = { setting: [], folders: [join(root, 'ws')], trusted: true, path: join(root, 'path'), own: join(root, 'own') };
  const own = () => program(inEnvironment(join(root, 'own')));
  const path = () => program(join(root, 'path', 'codemoat-lsp'));
  const workspace = () => program(inEnvironment(join(root, 'ws', '.venv')));
  return { root, places, program, own, path, workspace };
}

test('the setting comes before the workspace, PATH and the own environment', async () => {
  process.env['HOME'] = mkdtempSync(join(tmpdir(), 'home'));
  const { places, own, path, workspace } = world();
  assert.equal(await findServer(places), undefined);
  const expected = [[own(), 'own environment']];
  assert.deepEqual(await findServer(places), { command: expected[0]![0], args: [], origin: 'own environment' });
  assert.deepEqual(await findServer(places).then(() => findServer({ ...places, path: '' })), await findServer(places));
  const onPath = path();
  assert.equal((await findServer(places))?.command, onPath);
  const inWorkspace = workspace();
  assert.equal((await findServer(places))?.command, inWorkspace);
  assert.deepEqual(await findServer({ ...places, setting: ['~/lsp', '--log', 'x'] }), {
    command: join(process.env['HOME'], 'lsp'),
    args: ['--log', 'x'],
    origin: 'setting',
  });
});

test('a workspace without trust and relative parts of PATH are passed over', async () => {
  const { places, workspace, root, program } = world();
  workspace();
  assert.equal(await findServer({ ...places, trusted: false }), undefined);
  program(join(root, 'here', 'codemoat-lsp'));
  process.chdir(join(root, 'here'));
  assert.equal(await findServer({ ...places, trusted: false, path: ':.:here' }), undefined);
});

test('a file that cannot be run and a folder are no server', async () => {
  const { places, root, program } = world();
  program(join(root, 'path', 'codemoat-lsp'), 0o644);
  mkdirSync(inEnvironment(join(root, 'own')), { recursive: true });
  assert.equal(await findServer(places), undefined);
});

test('every way to install names what it runs', () => {
  const found = methods('/src/codemoat', '/my env', 'python3');
  assert.deepEqual(found.map(({ needs }) => needs), ['python3', 'uv', 'uv', 'pipx']);
  assert.equal(typed(found[0]!.steps[0]!), "python3 -m venv '/my env'");
  for (const { steps } of found) {
    assert.ok(steps.every((step) => step.length > 1));
    assert.equal(steps.at(-1)!.at(-1), '/src/codemoat');
  }
});

test('no name is installed: there is no package index with this project', async () => {
  for (const name of ['codemoat', 'codemoat==0.1', 'codemoat[onnx]>=0.1', 'git+https://example.org/x', './codemoat', '../x', '--index-url=x', '']) {
    assert.match((await refused(name)) ?? 'installed', /is not the full path .* not ours/, name);
  }
});

test('a clone or a wheel of codemoat is installed, and nothing else', async () => {
  const root = mkdtempSync(join(tmpdir(), 'source'));
  const folder = (name: string, project?: string) => {
    mkdirSync(join(root, name));
    if (project !== undefined) {
      writeFileSync(join(root, name, 'pyproject.toml'), project);
    }
    return join(root, name);
  };
  const file = (name: string) => {
    writeFileSync(join(root, name), '');
    return join(root, name);
  };
  assert.equal(await refused(folder('clone', '[project]\nname = "codemoat"\nversion = "1"\n')), undefined);
  assert.equal(await refused(file('codemoat-0.1.0-py3-none-any.whl')), undefined);
  assert.match((await refused(folder('other', '[project]\nname = "codemoat-x"\n')))!, /not a clone of codemoat/);
  assert.match((await refused(folder('empty')))!, /not a clone of codemoat/);
  assert.match((await refused(folder('huge', `${' '.repeat(1_000_001)}\nname = "codemoat"\n`)))!, /not a clone of codemoat/);
  assert.match((await refused(file('evil-0.1.0-py3-none-any.whl')))!, /not a wheel of codemoat/);
  assert.match((await refused(file('codemoat-0.1.0.tar.gz')))!, /not a wheel of codemoat/);
  assert.match((await refused(join(root, 'nowhere')))!, /There is no /);
});

test('a source whose path hides a part of itself is refused', async () => {
  for (const character of ['\n', '\t', '\x1b', '\u202e', '\u200b', '\u2028', '\u{e0001}']) {
    const folder = join(mkdtempSync(join(tmpdir(), 'source')), `a${character}b`);
    mkdirSync(folder);
    writeFileSync(join(folder, 'pyproject.toml'), '[project]\nname = "codemoat"\n');
    const problem = (await refused(folder)) ?? 'installed';
    assert.match(problem, /a\\u\{[0-9a-f]+\}b holds control characters/);
    assert.doesNotMatch(problem, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  }
});

test('a shell takes a copied command for what it is and expands nothing', () => {
  const folder = mkdtempSync(join(tmpdir(), 'shell'));
  const parts = [
    "/home/u/it's $(touch pwned)/codemoat",
    '/a`touch pwned`',
    "'; touch pwned; '",
    "a' 'b",
    '"; touch pwned; "',
    '/a\\b',
    '$HOME',
    '~',
    '*',
    '!!',
    '{a,b}',
    'x=y',
    '#x',
    '',
    "''",
    '-m',
    '/plain/path-1.0@x',
  ];
  const printed = execFileSync('sh', ['-c', typed(['printf', '%s\\0', ...parts], false)], { cwd: folder, encoding: 'utf8' });
  assert.deepEqual(printed.split('\0').slice(0, -1), parts);
  assert.equal(existsSync(join(folder, 'pwned')), false);
});

test('a command is written for the shell of the system', () => {
  assert.equal(typed(['pip', 'install', '/a b'], false), "pip install '/a b'");
  assert.equal(typed(['pip', "/it's"], false), "pip '/it'\\''s'");
  assert.equal(typed(['pip', "C:\\it's \u2019$(x)", 'C:\\a\\b', '@x', 'a,b'], true), "pip 'C:\\it''s \u2019\u2019$(x)' C:\\a\\b '@x' 'a,b'");
  assert.equal(typed(['C:\\my env\\python.exe', '-m', 'pip'], true), "& 'C:\\my env\\python.exe' -m pip");
});

test('the commands of uv and pipx', () => {
  const [, uv, tool, pipx] = methods('/src/codemoat', '/own', 'python3');
  assert.deepEqual(uv!.steps.map((step) => typed(step)), [
    "uv venv --python '>=3.11' /own",
    `uv pip install --python ${inEnvironment('/own', 'python')} /src/codemoat`,
  ]);
  assert.deepEqual(tool!.steps.map((step) => typed(step)), ['uv tool install /src/codemoat']);
  assert.deepEqual(pipx!.steps.map((step) => typed(step)), ['pipx install /src/codemoat']);
});

test('only what somebody set is sent, the most specific value of it', () => {
  const values = {
    'editor.automatic': { globalValue: true, workspaceValue: false },
    'ask.hits': {},
    'server.command': { globalValue: ['x'] },
  } as Record<string, object>;
  assert.deepEqual(explicitSettings(Object.keys(values), (key) => values[key]), { 'editor.automatic': false });
});

test('keys are those of the manifest', () => {
  const manifest = { contributes: { configuration: [{ properties: { 'codemoat.a.b': {} } }, { properties: { 'codemoat.c.d': {} } }] } };
  assert.deepEqual(declaredKeys(manifest), ['a.b', 'c.d']);
});
