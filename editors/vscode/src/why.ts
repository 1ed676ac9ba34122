/** The view "Why": what the last suggestion rests on, or why there was none. A native tree, so keys and screen readers work. */

import * as vscode from 'vscode';
import type { Why } from './protocol';
import { whyLines, type Line } from './whyText';

export class WhyView implements vscode.TreeDataProvider<Line>, vscode.Disposable {
  private lines: Line[] = [];
  private folder: vscode.Uri | undefined;
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.changed.event;

  show(why: Why | null | undefined): void {
    this.lines = why ? whyLines(why) : [];
    this.folder = why ? vscode.workspace.getWorkspaceFolder(vscode.Uri.parse(why.uri))?.uri : undefined;
    this.changed.fire();
  }

  getChildren(line?: Line): Line[] {
    return line ? [] : this.lines;
  }

  getTreeItem(line: Line): vscode.TreeItem {
    const item = new vscode.TreeItem(line.label);
    item.description = line.detail.split('\n', 1)[0] ?? '';
    item.tooltip = line.detail;
    item.iconPath = new vscode.ThemeIcon(line.icon);
    item.accessibilityInformation = { label: `${line.label}: ${line.detail}` };
    if (line.place && this.folder) {
      const uri = vscode.Uri.joinPath(this.folder, line.place.path).toString();
      item.command = { command: 'codemoat.openPlace', title: 'Open', arguments: [{ uri, range: line.place.range }] };
    }
    return item;
  }

  dispose(): void {
    this.changed.dispose();
  }
}
