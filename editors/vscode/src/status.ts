/** The status item and its menu. */

import * as vscode from 'vscode';
import type { Status, Why } from './protocol';
import type { Server } from './server/client';
import { describe, type View } from './statusText';
import type { Suggestions } from './suggestions';

export class StatusItem implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem('codemoat.status', vscode.StatusBarAlignment.Right, 100);
  private readonly subscriptions: vscode.Disposable[];
  private readonly changed = new vscode.EventEmitter<View>();
  readonly view: View = { server: 'stopped' };
  readonly onDidChange = this.changed.event;

  constructor(
    private readonly server: Server,
    suggestions: Suggestions,
  ) {
    this.item.name = 'codemoat';
    this.item.command = 'codemoat.menu';
    this.subscriptions = [
      this.item,
      this.changed,
      server.onWillStart((client) =>
        client.onNotification('codemoat/statusChanged', (status: Status) => this.update({ status })),
      ),
      server.onDidChangeState((state) => {
        this.update(state === 'running' ? { server: state } : { server: state, status: undefined });
        if (state === 'running') {
          void this.refresh();
        }
      }),
      suggestions.onDidAnswer(({ id, milliseconds }) => {
        this.update({ latency: milliseconds });
        void this.lookInto(id);
      }),
      vscode.window.onDidChangeActiveTextEditor(() => this.update({})),
    ];
    this.update({});
    this.item.show();
  }

  update(part: Partial<View>): void {
    Object.assign(this.view, part, { language: vscode.window.activeTextEditor?.document.languageId });
    const { text, label, lines, warn } = describe(this.view);
    this.item.text = text;
    this.item.accessibilityInformation = { label, role: 'button' };
    this.item.tooltip = new vscode.MarkdownString(lines.map(escaped).join('\n\n'));
    this.item.backgroundColor = warn ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
    this.changed.fire(this.view);
  }

  async refresh(): Promise<Status | undefined> {
    try {
      const status = await this.server.request<Status>('codemoat/status');
      this.update({ status });
      return status;
    } catch {
      // The server has just gone; its state says so.
      return undefined;
    }
  }

  dispose(): void {
    this.subscriptions.forEach((each) => each.dispose());
  }

  private async lookInto(id: string | null): Promise<void> {
    try {
      this.update({ why: await this.server.request<Why | null>('codemoat/why', id ? { id } : null) });
    } catch {
      this.update({ why: undefined });
    }
  }
}

function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!|<>~$]/g, '\\$&');
}
