/** The host of the chat view: its messages → the server's methods, and back. */

import * as vscode from 'vscode';
import type { ChatReply, ChatRequest } from '../../web/messages';
import type { ChatAnswer, ChatConversation, ChatEvent, ChatList } from '../protocol';
import { openPlace } from '../places';
import type { Server } from '../server/client';
import { page, webOptions } from '../webview';
import { insertCode } from './insert';

/** An answer that failed. */
class AnswerError extends Error {}

function wording(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export class ChatView implements vscode.WebviewViewProvider, vscode.Disposable {
  static readonly id = 'codemoat.chat';
  private view: vscode.WebviewView | undefined;
  private readonly subscriptions: vscode.Disposable[];
  /** Sent as soon as the page listens. */
  private waiting: ChatReply[] = [];
  private ready = false;
  /** The last token: the name of an answer, by which its events and the request to stop it are known. */
  private token = 0;
  /** The answer that is shown while it is made. Whatever comes of another one is dropped. */
  private current: { readonly token: number; conversation: string | null } | undefined;
  /** Counts what takes the place of the conversation on the screen; what was loaded for an earlier one is dropped. */
  private era = 0;
  /** The last editor: the view itself has the focus when somebody asks. */
  private editor = vscode.window.activeTextEditor;
  /** What was sent to the page, for tests. */
  readonly sent = new vscode.EventEmitter<ChatReply>();

  constructor(
    private readonly server: Server,
    private readonly extension: vscode.Uri,
  ) {
    this.subscriptions = [
      this.sent,
      server.onWillStart((client) =>
        client.onNotification('codemoat/chat/event', (event: ChatEvent) => this.streamed(event)),
      ),
      vscode.window.onDidChangeActiveTextEditor((editor) => {
        this.editor = editor ?? (vscode.window.visibleTextEditors.length > 0 ? this.editor : undefined);
        this.tellSelection();
      }),
      vscode.window.onDidChangeTextEditorSelection(() => this.tellSelection()),
    ];
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.view = view;
    this.ready = false;
    view.webview.options = webOptions(this.extension);
    view.webview.html = page(view.webview, this.extension, 'chat', 'codemoat chat');
    view.webview.onDidReceiveMessage((message: ChatRequest) => void this.receive(message));
    view.onDidDispose(() => {
      this.view = undefined;
      this.ready = false;
    });
  }

  /** Show the view, with a draft in its box. */
  async focus(draft?: string): Promise<void> {
    await vscode.commands.executeCommand(`${ChatView.id}.focus`);
    this.post({ kind: 'focus', ...(draft !== undefined && { draft }) });
  }

  async startNew(): Promise<void> {
    this.renew();
    await this.focus();
  }

  dispose(): void {
    this.subscriptions.forEach((each) => each.dispose());
  }

  /** Handle one message of the page. Public for tests. */
  async receive(message: ChatRequest): Promise<void> {
    try {
      await this.handle(message);
    } catch (error) {
      if (!(error instanceof AnswerError)) {
        void vscode.window.showErrorMessage(`codemoat: ${wording(error)}`);
      }
    }
  }

  /** Ask a question; the answer when it is whole. */
  async ask(question: string, conversation: string | null, withSelection: boolean): Promise<ChatAnswer> {
    this.leave();
    this.post({ kind: 'asked', question, conversation });
    const params = { question, conversation, ...this.shown(withSelection) };
    return this.answer('codemoat/chat/ask', params, conversation);
  }

  private async handle(message: ChatRequest): Promise<void> {
    switch (message.kind) {
      case 'ready':
        this.ready = true;
        this.waiting.splice(0).forEach((each) => this.post(each));
        return this.tellSelection();
      case 'ask':
        await this.ask(message.question, message.conversation, message.withSelection);
        return;
      case 'regenerate':
        return this.regenerate(message.conversation);
      case 'stop':
        return this.stop();
      case 'new':
        return this.renew();
      case 'openPlace':
        await openPlace(message.uri, message.range);
        return;
      case 'copy':
        return vscode.env.clipboard.writeText(message.text);
      case 'insert':
        return insertCode(this.editor, message.text);
      case 'list':
        return this.list();
      case 'openConversation':
        return this.open(message.conversation);
      case 'rename':
        return this.rename(message.conversation, message.title);
      case 'delete':
        return this.remove(message.conversation, message.title);
    }
  }

  private async regenerate(conversation: string): Promise<void> {
    this.leave();
    const era = (this.era += 1);
    // The answer that goes is taken off the screen with its question, which is asked once more.
    const { conversation: id, turns, ...head } = await this.load(conversation);
    const last = turns.pop();
    if (last && era === this.era) {
      this.post({ kind: 'conversation', conversation: { ...head, conversation: id, turns } });
      this.post({ kind: 'asked', question: last.question, conversation });
      await this.answer('codemoat/chat/regenerate', { conversation }, conversation);
    }
  }

  /** Throws an AnswerError, which the page was told unless it shows something else by now. */
  private async answer(method: string, params: object, conversation: string | null): Promise<ChatAnswer> {
    this.era += 1;
    this.token += 1;
    const mine = { token: this.token, conversation };
    this.current = mine;
    const end = (reply: ChatReply) => {
      if (this.current === mine) {
        this.current = undefined;
        this.post(reply);
      }
    };
    try {
      const answer = await this.server.request<ChatAnswer>(method, { ...params, folder: this.folder(), token: mine.token });
      end({ kind: 'done', answer });
      return answer;
    } catch (error) {
      end({ kind: 'failed', message: wording(error) });
      throw new AnswerError(wording(error));
    }
  }

  private streamed(event: ChatEvent): void {
    if (!this.current || event.token !== this.current.token) {
      return;
    }
    this.current.conversation = event.conversation ?? this.current.conversation;
    if (event.kind === 'sources') {
      this.post({ kind: 'sources', sources: event.sources ?? [], stale: event.stale ?? false });
    } else if (event.kind === 'waiting') {
      this.post({ kind: 'waiting', text: event.text ?? '' });
    } else if (event.kind === 'delta') {
      this.post({ kind: 'delta', text: event.text ?? '' });
    }
  }

  private stop(): void {
    if (this.current) {
      void this.server.request('codemoat/chat/stop', { token: this.current.token }).catch(() => undefined);
    }
  }

  /** Stop the answer and drop whatever still comes of it. */
  private leave(): void {
    this.stop();
    this.current = undefined;
  }

  private renew(): void {
    this.leave();
    this.era += 1;
    this.post({ kind: 'new' });
  }

  private async list(): Promise<void> {
    this.post({ kind: 'history', ...(await this.server.request<ChatList>('codemoat/chat/list', { folder: this.folder() })) });
  }

  private async open(conversation: string): Promise<void> {
    // The answer on the screen ends there, until the other conversation is.
    this.stop();
    const era = (this.era += 1);
    const loaded = await this.load(conversation);
    if (era === this.era) {
      this.current = undefined;
      this.post({ kind: 'conversation', conversation: loaded });
    }
  }

  private load(conversation: string): Promise<ChatConversation> {
    return this.server.request<ChatConversation>('codemoat/chat/open', { conversation, folder: this.folder() });
  }

  private async rename(conversation: string, title: string): Promise<void> {
    const chosen = await vscode.window.showInputBox({ title: 'Rename the conversation', value: title });
    if (chosen?.trim()) {
      const params = { conversation, title: chosen.trim(), folder: this.folder() };
      await this.server.request('codemoat/chat/rename', params);
      await this.list();
    }
  }

  private async remove(conversation: string, title: string): Promise<void> {
    const text = `Delete the conversation "${title}"? It cannot be brought back.`;
    if ((await vscode.window.showWarningMessage(text, { modal: true }, 'Delete')) === 'Delete') {
      await this.server.request('codemoat/chat/delete', { conversation, folder: this.folder() });
      if (this.current?.conversation === conversation) {
        this.leave();
      }
      this.post({ kind: 'deleted', conversation });
    }
  }

  /** The folder of the open file, else the first one. */
  private folder(): string | null {
    const uri = this.editor?.document.uri;
    const folder = (uri && vscode.workspace.getWorkspaceFolder(uri)) ?? vscode.workspace.workspaceFolders?.[0];
    return folder?.uri.toString() ?? null;
  }

  /** What the editor shows, as the server takes it. */
  private shown(withSelection: boolean): object {
    const editor = this.editor;
    if (!editor || editor.document.isClosed || editor.document.uri.scheme !== 'file') {
      return {};
    }
    const textDocument = { uri: editor.document.uri.toString() };
    const { start, end, active } = editor.selection;
    const position = { line: active.line, character: active.character };
    const range = {
      start: { line: start.line, character: start.character },
      end: { line: end.line, character: end.character },
    };
    const selected = withSelection && !editor.selection.isEmpty;
    return { textDocument, position, ...(selected && { selection: { textDocument, range } }) };
  }

  private tellSelection(): void {
    const editor = this.editor;
    let label: string | null = null;
    if (editor && !editor.selection.isEmpty && editor.document.uri.scheme === 'file') {
      const { start, end } = editor.selection;
      label = `${vscode.workspace.asRelativePath(editor.document.uri)}:${start.line + 1}-${end.line + 1}`;
    }
    this.post({ kind: 'selection', label });
  }

  private post(reply: ChatReply): void {
    this.sent.fire(reply);
    if (this.view && this.ready) {
      void this.view.webview.postMessage(reply);
    } else if (reply.kind !== 'selection') {
      this.waiting.push(reply);
    }
  }
}
