// A real VS Code (code-server) in a real Chromium, with a home of its own, for the tests in this folder.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const HERE = dirname(fileURLToPath(import.meta.url));
export const EXTENSION = resolve(HERE, '..');
const ENTRY = join(HERE, 'node_modules/code-server/out/node/entry.js');
/** What pytest says: the interpreter, the model, where the server keeps its things. */
export const GIVEN = JSON.parse(process.env.CODEMOAT_VSCODE_TEST ?? '{}');
const PATIENCE_MS = GIVEN.patience ?? 60_000;
const GHOST = '.ghost-text, .ghost-text-decoration, .ghost-text-decoration-preview, .inline-edit';

export async function until(condition, what, ms = PATIENCE_MS) {
  const end = Date.now() + ms;
  for (;;) {
    const found = await condition();
    if (found) {
      return found;
    }
    assert.ok(Date.now() < end, `waited ${ms / 1000} s for ${what}`);
    await new Promise((next) => setTimeout(next, 50));
  }
}

/** Change settings as somebody would who edits the file. */
export function setSettings(world, part) {
  const file = join(world.data, 'Machine/settings.json');
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...part }));
}

/** Start VS Code on a folder of `files`. `settings` go on top of what every test needs. */
export async function open({ files, settings = {}, vsix = GIVEN.vsix, trust = true, theme = 'light', size, driver = false }) {
  const home = mkdtempSync(join(tmpdir(), 'vs'));
  const [folder, data] = [join(home, 'books'), join(home, 'data')];
  for (const each of ['Machine', 'User']) {
    mkdirSync(join(data, each), { recursive: true });
  }
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const dirs = Object.fromEntries(['CACHE', 'CONFIG', 'DATA'].map((n) => [`CODEMOAT_${n}_DIR`, join(home, n)]));
  const serverEnv = { PYTHONPATH: GIVEN.root, CODEMOAT_RUNTIME_DIR: GIVEN.runtime, ...dirs };
  const server = {
    'codemoat.server.command': GIVEN.server,
    'codemoat.server.env': serverEnv,
    'codemoat.model.name': GIVEN.model,
    ...settings,
  };
  // Read from here in a remote window; from User/settings.json alone, defaults win at times.
  writeFileSync(join(data, 'Machine/settings.json'), JSON.stringify({ ...server, 'security.workspace.trust.enabled': !trust }));
  writeFileSync(join(data, 'User/settings.json'), JSON.stringify({ ...QUIET, 'workbench.colorTheme': THEMES[theme] }));
  const world = new World(home, folder, data, serverEnv);
  try {
    await world.start({ vsix, trust, theme, driver, size: size ?? { width: 1280, height: 800 } });
  } catch (error) {
    await world.close();
    throw error;
  }
  return world;
}

const THEMES = { light: 'Default Light Modern', dark: 'Default Dark Modern', 'high-contrast': 'Default High Contrast' };
const QUIET = {
  'chat.disableAIFeatures': true,
  'editor.minimap.enabled': false,
  'editor.quickSuggestions': { other: 'off', comments: 'off', strings: 'off' },
  'editor.inlineSuggest.enabled': true,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'files.autoSave': 'off',
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'window.autoDetectColorScheme': false,
  'workbench.editor.useModal': 'off',
  'workbench.startupEditor': 'none',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
};

export class World {
  /** Addresses outside of this machine that web views asked for. */
  outside = [];
  log = '';

  constructor(home, folder, data, serverEnv) {
    Object.assign(this, { home, folder, data, serverEnv, extensions: join(home, 'ext') });
  }

  async start({ vsix, size, trust, theme, driver }) {
    const env = { ...process.env, HOME: this.home, CODEMOAT_TEST_RESULT: join(this.home, 'mocha.json') };
    const common = ['--user-data-dir', this.data, '--extensions-dir', this.extensions];
    if (vsix) {
      const done = spawnSync(process.execPath, [ENTRY, ...common, '--install-extension', vsix], { env, encoding: 'utf8' });
      assert.equal(done.status, 0, `the .vsix was not installed: ${done.stderr}`);
    }
    this.port = await freePort();
    const address = ['--auth', 'none', '--bind-addr', `127.0.0.1:${this.port}`];
    const quiet = ['--disable-telemetry', '--disable-update-check', ...(trust ? ['--disable-workspace-trust'] : [])];
    // For tests inside the extension host; it hides notifications.
    const test = driver ? ['--vscode-option', 'enable-smoke-test-driver'] : [];
    this.process = spawn(process.execPath, [ENTRY, ...common, ...address, ...quiet, ...test, this.folder], { env });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.on('data', (data) => (this.log += data));
    }
    await until(() => fetch(`http://127.0.0.1:${this.port}/healthz`).then((r) => r.ok, () => false), 'code-server');
    const args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
    this.browser = await chromium.launch({ executablePath: GIVEN.chromium, args });
    const context = await this.browser.newContext({ viewport: size, colorScheme: theme === 'light' ? 'light' : 'dark' });
    this.page = await context.newPage();
    this.page.setDefaultTimeout(PATIENCE_MS);
    this.page.on('request', (request) => {
      const { protocol, hostname } = new URL(request.url());
      // VS Code asks its gallery by itself; web views are meant. Their own files come from a name that a service
      // worker answers.
      const ours = request.frame()?.parentFrame() != null && !hostname.endsWith('.vscode-cdn.net');
      if (ours && /^(http|ws)s?:$/.test(protocol) && hostname !== '127.0.0.1') {
        this.outside.push(request.url());
      }
    });
  }

  /** Open the workbench; `payload` as in VS Code's address. */
  async workbench(payload = []) {
    const more = payload.length > 0 ? `&payload=${encodeURIComponent(JSON.stringify(payload))}` : '';
    await this.page.goto(`http://127.0.0.1:${this.port}/?folder=${this.folder}${more}`);
    await this.page.waitForSelector('.monaco-workbench');
  }

  remote(path) {
    return `vscode-remote://127.0.0.1:${this.port}${path}`;
  }

  async close() {
    if (GIVEN.keep) {
      // For whoever looks into a failure.
      await this.page?.screenshot({ path: join(GIVEN.keep, `last-${Date.now()}.png`) }).catch(() => undefined);
    }
    await this.browser?.close();
    if (this.process && this.process.exitCode === null) {
      this.process.kill('SIGTERM');
      await Promise.race([new Promise((done) => this.process.once('exit', done)), new Promise((done) => setTimeout(done, 5000))]);
      this.process.kill('SIGKILL');
    }
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }

  async run(command) {
    const box = this.page.locator('.quick-input-widget:visible input').first();
    const soon = { timeout: 5000 };
    await until(async () => {
      // Whatever takes the focus meanwhile closes the palette.
      await this.page.keyboard.press('F1');
      return box.fill(`>${command}`, soon).then(() => this.row(command).click(soon)).then(() => true, () => false);
    }, `the command ${command}`);
  }

  row(text) {
    return this.page.locator('.quick-input-list .monaco-list-row', { hasText: text }).first();
  }

  async openFile(name) {
    await this.page.keyboard.press('Control+p');
    const box = this.page.locator('.quick-input-widget:visible input').first();
    await box.fill(name);
    await this.row(name.split('/').pop()).click();
    await this.page.waitForSelector(`.tab.active[data-resource-name="${name.split('/').pop()}"]`);
    await this.page.locator('.monaco-editor .view-lines').first().waitFor();
  }

  /** Put the cursor at the end of the open file. */
  async toEnd() {
    await this.page.locator('.editor-instance .monaco-editor .view-lines').first().click();
    await this.page.keyboard.press('Control+End');
  }

  get ghost() {
    return this.page.locator(GHOST);
  }

  async ghostText() {
    const parts = await this.ghost.allTextContents();
    return parts.join('').replaceAll('\u00a0', ' ');
  }

  /** The suggestion on the screen, once it is of a pattern. */
  async waitForGhost(pattern = /./) {
    let text = '';
    const found = async () => pattern.test((text = await this.ghostText()));
    await until(found, `a suggestion ${pattern}`).catch((error) => {
      throw new Error(`${error.message}; it is "${text}"`);
    });
    return text;
  }

  /** Save, and return the file's text. */
  async saved(name) {
    await this.page.keyboard.press('Control+s');
    await until(async () => (await this.page.locator('.tab.active.dirty').count()) === 0, 'the file to be saved');
    return readFileSync(join(this.folder, name), 'utf8');
  }

  status() {
    return this.page.locator('[id="codemoat.codemoat.codemoat.status"], .statusbar-item[id*="codemoat.status"]').first();
  }

  async waitForStatus(pattern, what = `the status ${pattern}`) {
    const label = async () => (await this.status().locator('a').first().getAttribute('aria-label').catch(() => '')) ?? '';
    await until(async () => pattern.test(await label()), what).catch(async (error) => {
      throw new Error(`${error.message}; it is "${await label()}"`);
    });
  }

  /** The document inside a web view of ours, by a thing in it. */
  async view(selector) {
    return until(async () => {
      for (const frame of this.page.frames()) {
        if ((await frame.locator(selector).count().catch(() => 0)) > 0) {
          return frame;
        }
      }
      return undefined;
    }, `a view with ${selector}`);
  }

  /** Change the colours while VS Code runs. */
  async setTheme(theme, css) {
    await this.run('Preferences: Color Theme');
    const box = this.page.locator('.quick-input-widget:visible input').first();
    await box.fill(THEMES[theme].replace('Default ', ''));
    await this.row(THEMES[theme].replace('Default ', '')).click();
    await this.page.waitForSelector(`.monaco-workbench.${css}`);
  }

  async notification(pattern) {
    const found = this.page.locator('.notification-list-item', { hasText: pattern }).first();
    await found.waitFor();
    return found;
  }

  /** Processes of the language server that this world started. */
  servers() {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        try {
          const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
          const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean);
          return environment.includes(`CODEMOAT_CACHE_DIR=${join(this.home, 'CACHE')}`) && command.slice(-2).join(' ') === '-m lsp';
        } catch {
          return false;
        }
      })
      .map(Number);
  }
}

async function freePort() {
  return new Promise((found) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => found(port));
    });
  });
}

export { existsSync };

export const BOOKS = {
  'ledger.py': `class Ledger:
    """Money that came and went."""

    def record_payment(self, account, cents, memo=""):
        """Note a payment."""
        self.payments.append((account, cents, memo))

    def outstanding_balance(self, account):
        """What is still owed."""
        return sum(cents for name, cents, _ in self.payments if name == account)
`,
  'use.py': `from ledger import Ledger

ledger = Ledger()
ledger.record_payment("rent", 90000)
`,
};
