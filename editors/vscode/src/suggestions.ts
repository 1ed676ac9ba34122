/** Inline suggestions: the language client asks for them, this tells the server what became of them. */

import * as vscode from 'vscode';
import type { Middleware } from 'vscode-languageclient/node';
import { follow, type Offer } from './following';

/** Part of the server that is needed here. */
export interface Telling {
  notify(method: string, params: unknown): void;
}

const RESTING_MS = 300;

export interface Answered {
  /** Null where there was no suggestion. */
  id: string | null;
  milliseconds: number;
}

export class Suggestions implements vscode.Disposable {
  private offer: Offer | undefined;
  private resting: NodeJS.Timeout | undefined;
  private readonly answered = new vscode.EventEmitter<Answered>();
  private readonly subscriptions: vscode.Disposable[];
  readonly onDidAnswer = this.answered.event;

  constructor(private readonly server: () => Telling) {
    this.subscriptions = [
      vscode.workspace.onDidChangeTextDocument((event) => this.edited(event)),
      vscode.window.onDidChangeTextEditorSelection((event) => this.moved(event)),
      this.answered,
    ];
  }

  provideInlineCompletionItems: NonNullable<Middleware['provideInlineCompletionItems']> = async (
    document,
    position,
    context,
    token,
    next,
  ) => {
    const began = Date.now();
    const result = await next(document, position, context, token);
    if (token.isCancellationRequested) {
      return result;
    }
    const items = Array.isArray(result) ? result : (result?.items ?? []);
    const item = items[0];
    const id: unknown = item?.command?.arguments?.[0];
    this.answered.fire({ id: typeof id === 'string' ? id : null, milliseconds: Date.now() - began });
    if (item && typeof id === 'string' && typeof item.insertText === 'string' && !context.selectedCompletionInfo) {
      const offset = document.offsetAt(position);
      const version = document.version;
      this.offer = { id, uri: document.uri.toString(), offset, rest: item.insertText, accepted: 0, shown: false };
      // Stable API does not say what is on the screen: what still fits the document after this turn is.
      setTimeout(() => this.drawn(document, version, id), 0);
    }
    return result;
  };

  dispose(): void {
    clearTimeout(this.resting);
    this.subscriptions.forEach((each) => each.dispose());
  }

  private drawn(document: vscode.TextDocument, version: number, id: string): void {
    const offer = this.offer;
    if (offer?.id === id && document.version === version && vscode.window.activeTextEditor?.document === document) {
      offer.shown = true;
      this.server().notify('codemoat/didShow', { id });
    }
  }

  private edited(event: vscode.TextDocumentChangeEvent): void {
    const offer = this.offer;
    if (!offer || event.document.uri.toString() !== offer.uri || event.contentChanges.length === 0) {
      return;
    }
    const [change, ...more] = event.contentChanges;
    const edit = { offset: change!.rangeOffset, length: change!.rangeLength, text: change!.text };
    // Auto-closing brackets come as further edits of the same event and take nothing away from the first.
    const meaning = more.length > 0 ? 'rejected' : follow(offer, edit);
    if (meaning === 'accepted in part') {
      this.server().notify('codemoat/didPartiallyAccept', { id: offer.id, characters: offer.accepted });
    } else if (meaning === 'accepted') {
      // VS Code runs the item's own command, which tells the server.
      this.offer = undefined;
    } else if (meaning === 'rejected') {
      this.drop();
    }
  }

  private moved(event: vscode.TextEditorSelectionChangeEvent): void {
    const document = event.textEditor.document;
    const cursor = event.selections[0]?.active;
    if (!cursor) {
      return;
    }
    const uri = document.uri.toString();
    if (event.kind === vscode.TextEditorSelectionChangeKind.Mouse && this.offer?.uri === uri) {
      this.drop();
    }
    clearTimeout(this.resting);
    if (['file', 'untitled', 'vscode-notebook-cell'].includes(document.uri.scheme)) {
      const position = { line: cursor.line, character: cursor.character };
      this.resting = setTimeout(
        () => this.server().notify('codemoat/didMoveCursor', { textDocument: { uri }, position }),
        RESTING_MS,
      );
    }
  }

  private drop(): void {
    if (this.offer?.shown && this.offer.accepted === 0) {
      this.server().notify('codemoat/didReject', { id: this.offer.id });
    }
    this.offer = undefined;
  }
}
