/** Opening places that the server names. */

import * as vscode from 'vscode';
import type { Range } from './protocol';

const SHOWN_MS = 2500;

/**
 * Open a file at a range, select nothing, and light its lines up for a moment.
 *
 * Only files of the workspace: a message from a web page must not be able to open any other.
 */
export async function openPlace(uri: string, range: Range, preserveFocus = false): Promise<vscode.TextEditor> {
  const target = vscode.Uri.parse(uri, true);
  if (!vscode.workspace.getWorkspaceFolder(target)) {
    throw new Error(`${target.fsPath} is not in this workspace.`);
  }
  const document = await vscode.workspace.openTextDocument(target);
  const lines = document.validateRange(
    new vscode.Range(range.start.line, range.start.character, range.end.line, range.end.character),
  );
  const editor = await vscode.window.showTextDocument(document, { preview: true, preserveFocus });
  editor.selection = new vscode.Selection(lines.start, lines.start);
  editor.revealRange(lines, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  // A range that ends before the first character of a line does not mean that line.
  const last = lines.end.character === 0 && lines.end.line > lines.start.line ? lines.end.line - 1 : lines.end.line;
  const lit = vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    backgroundColor: new vscode.ThemeColor('editor.selectionHighlightBackground'),
    overviewRulerColor: new vscode.ThemeColor('editorOverviewRuler.selectionHighlightForeground'),
  });
  editor.setDecorations(lit, [new vscode.Range(lines.start.line, 0, last, Number.MAX_SAFE_INTEGER)]);
  setTimeout(() => lit.dispose(), SHOWN_MS);
  return editor;
}
