/** The host of the search view. */

import * as vscode from 'vscode';
import type { SearchReply, SearchRequest } from '../../web/messages';
import { openPlace } from '../places';
import type { SearchResult } from '../protocol';
import type { Server } from '../server/client';
import { page, webOptions } from '../webview';

/** More than anybody reads. */
const LIMIT = 60;

export class SearchView implements vscode.WebviewViewProvider {
  static readonly id = 'codemoat.search';
  private view: vscode.WebviewView | undefined;
  private ready = false;
  private wanted: SearchReply | undefined;
  private running: vscode.CancellationTokenSource | undefined;

  constructor(
    private readonly server: Server,
    private readonly extension: vscode.Uri,
  ) {}

  resolveWebviewView(view: vscode.WebviewView): void {
    this.view = view;
    this.ready = false;
    view.webview.options = webOptions(this.extension);
    view.webview.html = page(view.webview, this.extension, 'search', 'codemoat search');
    view.webview.onDidReceiveMessage((message: SearchRequest) => void this.receive(message));
    view.onDidDispose(() => {
      this.view = undefined;
      this.ready = false;
    });
  }

  /** Show the view and search for something. */
  async focus(query?: string): Promise<void> {
    this.wanted = { kind: 'focus', ...(query && { query }) };
    await vscode.commands.executeCommand(`${SearchView.id}.focus`);
    this.tellWanted();
  }

  /** Handle one message of the page. Public for tests. */
  async receive(message: SearchRequest): Promise<void> {
    if (message.kind === 'ready') {
      this.ready = true;
      this.tellWanted();
    } else if (message.kind === 'openPlace') {
      try {
        await openPlace(message.uri, message.range, message.preserveFocus);
      } catch (error) {
        void vscode.window.showErrorMessage(`codemoat: ${(error as Error).message}`);
      }
    } else {
      this.post(await this.search(message));
    }
  }

  private async search({ number, query, filters }: SearchRequest & { kind: 'search' }): Promise<SearchReply> {
    // The latest query is the one that somebody waits for.
    this.running?.cancel();
    const source = (this.running = new vscode.CancellationTokenSource());
    try {
      const found = await this.server.request<SearchResult>('codemoat/search', { query, limit: LIMIT, ...filters }, source.token);
      return { kind: 'hits', number, ...found };
    } catch (error) {
      return { kind: 'failed', number, message: (error as Error).message };
    } finally {
      source.dispose();
      if (this.running === source) {
        this.running = undefined;
      }
    }
  }

  private tellWanted(): void {
    if (this.wanted && this.ready) {
      this.post(this.wanted);
      this.wanted = undefined;
    }
  }

  private post(reply: SearchReply): void {
    void this.view?.webview.postMessage(reply);
  }
}
