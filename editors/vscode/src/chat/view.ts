/** The host of the chat view: its messages → the server's methods, and back. */

import * as vscode from 'vscode';
import type { ChatReply, ChatRequest } from '../../web/messages';
import type { ChatAnswer, ChatConversation, ChatEvent, ChatList } from '../protocol';
import { openPlace } from '../places';
import type { Server } from '../server/client';
import { page, webOptions } from '../webview';
import { insertCode } from './insert';

export class ChatView implements vscode.WebviewViewProvider, vscode.Disposable {
  static readonly id = 'codemoat.chat';
  private view: vscode.WebviewView | undefined;
  private readonly subscriptions: vscode.Disposable[];
  /** Sent as soon as the page listens. */
  private waiting: ChatReply[] = [];
  private ready = false;
  /** The client's name of the answer that is under way. */
  private token = 0;
  private answering = false;
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
    this.stop();
    await this.focus();
    this.post({ kind: 'new' });
  }

  dispose(): void {
    this.subscriptions.forEach((each) => each.dispose());
  }

  /** Handle one message of the page. Public for tests. */
  async receive(message: ChatRequest): Promise<void> {
    try {
      await this.handle(message);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (message.kind === 'ask' || message.kind === 'regenerate') {
        this.post({ kind: 'failed', message: text });
      } else {
        void vscode.window.showErrorMessage(`codemoat: ${text}`);
      }
    }
  }

  /** Ask a question; the answer when it is whole. */
  async ask(question: string, conversation: string | null, withSelection: boolean): Promise<ChatAnswer> {
    this.post({ kind: 'asked', question, conversation });
    const params = { question, conversation, ...this.shown(withSelection) };
    return this.answer('codemoat/chat/ask', params);
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
    // The answer that goes is taken off the screen with its question, which is asked once more.
    const { conversation: id, turns, ...head } = await this.load(conversation);
    const last = turns.pop();
    if (last) {
      this.post({ kind: 'conversation', conversation: { ...head, conversation: id, turns } });
      this.post({ kind: 'asked', question: last.question, conversation });
      await this.answer('codemoat/chat/regenerate', { conversation });
    }
  }

  private async answer(method: string, params: object): Promise<ChatAnswer> {
    this.token += 1;
    this.answering = true;
    try {
      const folder = this.folder();
      const answer = await this.server.request<ChatAnswer>(method, { ...params, folder, token: this.token });
      this.post({ kind: 'done', answer });
      return answer;
    } finally {
      this.answering = false;
    }
  }

  private streamed(event: ChatEvent): void {
    if (event.token !== this.token) {
      return;
    }
    if (event.kind === 'sources') {
      this.post({ kind: 'sources', sources: event.sources ?? [], stale: event.stale ?? false });
    } else if (event.kind === 'waiting') {
      this.post({ kind: 'waiting', text: event.text ?? '' });
    } else if (event.kind === 'delta') {
      this.post({ kind: 'delta', text: event.text ?? '' });
    }
  }

  private stop(): void {
    if (this.answering) {
      void this.server.request('codemoat/chat/stop', { token: this.token }).catch(() => undefined);
    }
  }

  private async list(): Promise<void> {
    this.post({ kind: 'history', ...(await this.server.request<ChatList>('codemoat/chat/list', { folder: this.folder() })) });
  }

  private async open(conversation: string): Promise<void> {
    this.stop();
    this.post({ kind: 'conversation', conversation: await this.load(conversation) });
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
