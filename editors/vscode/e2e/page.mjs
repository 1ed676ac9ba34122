// The views in a plain page of Chromium, under the extension's own content-security policy.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after } from 'node:test';
import { chromium } from 'playwright-core';
import { EXTENSION, GIVEN } from './world.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** What VS Code puts into every web view: code of blocks has the colours of code within a line, for example. */
const VIEWS = 'e2e/node_modules/code-server/lib/vscode/out/vs/workbench/contrib/webview/browser/pre/index.html';
const [, OF_VSCODE] = /defaultStyles\.textContent = `([^`]*)`/.exec(readFileSync(join(EXTENSION, VIEWS), 'utf8'));
const POLICY = "default-src 'none'; script-src 'nonce-n'; style-src 'self'; base-uri 'none'; form-action 'none'";

let browser;
after(() => browser?.close());

/** A page with one of the views. `theme`: the class that VS Code gives the body. */
export async function openPage(view, { theme = 'vscode-light', colours = {}, size = { width: 420, height: 800 } } = {}) {
  const requests = [];
  const server = createServer((request, response) => {
    requests.push(request.url);
    const files = { '/harness.js': 'dist/test/page/harness.js', '/style.css': 'dist/web/style.css' };
    const file = files[request.url];
    if (request.url === '/vscode.css') {
      response.setHeader('content-type', 'text/css');
      response.end(OF_VSCODE);
    } else if (file) {
      response.setHeader('content-type', file.endsWith('.css') ? 'text/css' : 'text/javascript');
      response.end(readFileSync(join(EXTENSION, file)));
    } else if (request.url === '/') {
      response.setHeader('content-type', 'text/html');
      response.setHeader('content-security-policy', POLICY);
      response.end(`<!DOCTYPE html><html lang="en"><head><title>view</title><link rel="stylesheet" href="/vscode.css"><link rel="stylesheet" href="/style.css"></head>
        <body class="${theme}"><main id="root"></main><script nonce="n" src="/harness.js"></script></body></html>`);
    } else {
      response.statusCode = 404;
      response.end();
    }
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  browser ??= await chromium.launch({ executablePath: GIVEN.chromium, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
  const context = await browser.newContext({ viewport: size, bypassCSP: false });
  const page = await context.newPage();
  const alarms = [];
  page.on('dialog', (dialog) => {
    alarms.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('pageerror', (error) => alarms.push(`error ${error.message}`));
  // Refused by the policy: harmless, and still a sign that something got past the sanitiser.
  page.on('console', (message) => message.type() === 'error' && !/favicon/.test(message.text() + message.location().url) && alarms.push(message.text()));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.evaluate(([name, set]) => {
    for (const [key, value] of Object.entries(set)) {
      document.documentElement.style.setProperty(key, value);
    }
    window.harness.mount(name);
  }, [view, colours]);
  return {
    page,
    alarms,
    requests,
    send: (message) => page.evaluate((each) => window.harness.send(each), message),
    posted: () => page.evaluate(() => window.harness.posted),
    async violations() {
      await page.evaluate(AXE);
      const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
      return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`));
    },
    async close() {
      await context.close();
      server.close();
    },
  };
}

/** Colours of VS Code's own themes, as far as the views use them. */
export const THEMES = {
  'vscode-light': {
    '--vscode-editor-foreground': '#3b3b3b', '--vscode-textPreformat-background': 'rgba(0, 0, 0, 0.12)',
    '--vscode-textPreformat-foreground': '#3b3b3b',
  },
  'vscode-dark': {
    '--vscode-foreground': '#cccccc', '--vscode-sideBar-background': '#181818', '--vscode-descriptionForeground': '#9d9d9d',
    '--vscode-editor-background': '#1f1f1f', '--vscode-editor-foreground': '#cccccc', '--vscode-input-background': '#313131',
    '--vscode-input-foreground': '#cccccc', '--vscode-input-border': '#3c3c3c', '--vscode-input-placeholderForeground': '#989898',
    '--vscode-button-background': '#0078d4', '--vscode-button-foreground': '#ffffff', '--vscode-button-hoverBackground': '#026ec1',
    '--vscode-textLink-foreground': '#4daafc', '--vscode-panel-border': '#2b2b2b', '--vscode-textCodeBlock-background': '#2b2b2b',
    '--vscode-toolbar-hoverBackground': 'rgba(90, 93, 94, 0.31)', '--vscode-list-hoverBackground': '#2a2d2e', '--vscode-focusBorder': '#0078d4',
    '--vscode-textPreformat-background': '#3c3c3c', '--vscode-textPreformat-foreground': '#d0d0d0',
    '--vscode-dropdown-background': '#313131', '--vscode-dropdown-foreground': '#cccccc', '--vscode-errorForeground': '#f85149',
  },
  // Nothing is named for what the pointer is on but its outline.
  'vscode-high-contrast': {
    '--vscode-foreground': '#ffffff', '--vscode-sideBar-background': '#000000',
    '--vscode-descriptionForeground': 'rgba(255, 255, 255, 0.7)', '--vscode-editor-background': '#000000',
    '--vscode-editor-foreground': '#ffffff', '--vscode-input-background': '#000000', '--vscode-input-foreground': '#ffffff',
    '--vscode-input-border': '#6fc3df', '--vscode-input-placeholderForeground': '#d0d0d0', '--vscode-button-background': '#000000',
    '--vscode-button-foreground': '#ffffff', '--vscode-button-border': '#6fc3df', '--vscode-button-hoverBackground': '#000000',
    '--vscode-textLink-foreground': '#21a6ff', '--vscode-panel-border': '#6fc3df', '--vscode-textCodeBlock-background': '#000000',
    '--vscode-textPreformat-background': '#ffffff', '--vscode-textPreformat-foreground': '#000000',
    '--vscode-list-hoverBackground': 'rgba(255, 255, 255, 0.1)', '--vscode-contrastBorder': '#6fc3df',
    '--vscode-contrastActiveBorder': '#f38518', '--vscode-focusBorder': '#f38518', '--vscode-dropdown-background': '#000000',
    '--vscode-dropdown-foreground': '#ffffff', '--vscode-errorForeground': '#f48771',
  },
  'vscode-high-contrast-light vscode-high-contrast': {
    '--vscode-foreground': '#292929', '--vscode-sideBar-background': '#ffffff',
    '--vscode-descriptionForeground': 'rgba(41, 41, 41, 0.7)', '--vscode-editor-background': '#ffffff',
    '--vscode-editor-foreground': '#292929', '--vscode-input-background': '#ffffff', '--vscode-input-foreground': '#292929',
    '--vscode-input-border': '#0f4a85', '--vscode-button-background': '#0f4a85', '--vscode-button-foreground': '#ffffff',
    '--vscode-button-border': '#0f4a85', '--vscode-button-hoverBackground': '#0f4a85', '--vscode-textLink-foreground': '#0f4a85',
    '--vscode-panel-border': '#0f4a85', '--vscode-textCodeBlock-background': '#f2f2f2',
    '--vscode-textPreformat-background': '#09345f', '--vscode-textPreformat-foreground': '#ffffff',
    '--vscode-list-hoverBackground': 'rgba(15, 74, 133, 0.1)', '--vscode-contrastBorder': '#0f4a85',
    '--vscode-contrastActiveBorder': '#006bbd', '--vscode-focusBorder': '#006bbd', '--vscode-dropdown-background': '#ffffff',
    '--vscode-dropdown-foreground': '#292929', '--vscode-errorForeground': '#b5200d',
  },
}; // prettier-ignore
