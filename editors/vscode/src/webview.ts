/** The page around a web view: no script but ours, nothing from the network. */

import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';

/** HTML of a view whose script and style are `dist/web/<name>.js` and `dist/web/style.css`. */
export function page(webview: vscode.Webview, extension: vscode.Uri, name: string, title: string): string {
  const nonce = randomBytes(18).toString('base64');
  const file = (path: string) => webview.asWebviewUri(vscode.Uri.joinPath(extension, 'dist', 'web', path)).toString();
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${webview.cspSource}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="${policy}">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <link rel="stylesheet" href="${file('style.css')}">
    <title>${title}</title>
  </head>
  <body>
    <main id="root"></main>
    <script nonce="${nonce}" src="${file(`${name}.js`)}"></script>
  </body>
</html>`;
}

export function webOptions(extension: vscode.Uri): vscode.WebviewOptions {
  return { enableScripts: true, localResourceRoots: [vscode.Uri.joinPath(extension, 'dist', 'web')] };
}
