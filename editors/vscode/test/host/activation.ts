/** What VS Code runs for `e2e/activation.mjs`: the extension's own figure, into the file that is waited for. */

import { renameSync, writeFileSync } from 'node:fs';
import * as vscode from 'vscode';
import type { Parts } from '../../src/commands';

export async function run(): Promise<void> {
  const parts = await vscode.extensions.getExtension<Parts>('codemoat.codemoat')!.activate();
  const file = process.env['CODEMOAT_TEST_RESULT']!;
  writeFileSync(`${file}.part`, parts.activation.toFixed(2));
  renameSync(`${file}.part`, file);
}
