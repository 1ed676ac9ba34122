/** Code of an answer into a document. */

import * as vscode from 'vscode';
import { indented } from './indent';

/** Insert at the cursor, over what is selected, indented as the line is. Throws an Error where no file is open. */
export async function insertCode(editor: vscode.TextEditor | undefined, code: string): Promise<void> {
  if (!editor || editor.document.isClosed) {
    throw new Error('Open a file first: the code goes where its cursor is.');
  }
  const { document, selection, viewColumn } = editor;
  const line = document.lineAt(selection.start.line).text.slice(0, selection.start.character);
  const text = indented(code.replace(/\n$/, ''), /^\s*$/.test(line) ? line : '');
  // The editor may have been hidden meanwhile; edits need it on the screen.
  const shown = await vscode.window.showTextDocument(document, { viewColumn, selection });
  await shown.edit((edit) => edit.replace(selection, text));
}
