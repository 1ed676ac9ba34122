/** The view "Why": what the last suggestion rests on, or why there was none. A native tree, so keys and screen readers work. */

import * as vscode from 'vscode';
import type { Place, Why } from './protocol';
import { reuse } from './statusText';

export interface Line {
  label: string;
  detail: string;
  icon: string;
  /** Where in the workspace a click leads. */
  place?: Pick<Place, 'path' | 'range'>;
}

const OUTCOMES = {
  suggested: 'Suggested',
  nothing: 'Nothing to suggest',
  cancelled: 'Cancelled',
  off: 'Off here',
  failed: 'Failed',
};
const ICONS = { suggested: 'sparkle', nothing: 'dash', cancelled: 'debug-stop', off: 'circle-slash', failed: 'error' };

/** The rows of the view. */
export function whyLines(why: Why): Line[] {
  const lines: Line[] = [{ label: OUTCOMES[why.outcome], detail: why.reason, icon: ICONS[why.outcome] }];
  lines.push({ label: 'Asked', detail: `${why.trigger}, line ${why.line + 1}, column ${why.character + 1}`, icon: 'edit' });
  if (why.text) {
    lines.push({ label: 'Text', detail: why.text, icon: 'quote' });
  }
  for (const each of why.context) {
    const place = placeOf(each);
    lines.push({ label: 'Read', detail: each, icon: 'file-code', ...(place && { place }) });
  }
  if (why.text && why.context.length === 0) {
    lines.push({ label: 'Read', detail: 'no other file', icon: 'file-code' });
  }
  const reused = reuse(why);
  if (reused) {
    lines.push({ label: 'Prompt', detail: reused.slice(2), icon: 'history' });
  }
  for (const [name, value] of Object.entries(why.timings)) {
    if (name.endsWith('_ms')) {
      lines.push({ label: capital(name.slice(0, -3)), detail: `${Math.round(value)} ms`, icon: 'watch' });
    }
  }
  if (why.fate) {
    lines.push({ label: 'Then', detail: why.fate.replace('-', ' '), icon: 'check' });
  }
  return lines;
}

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1).replaceAll('_', ' ');
}

function placeOf(text: string): Line['place'] {
  const found = /^(.*):(\d+)-(\d+)$/.exec(text);
  if (!found) {
    return undefined;
  }
  const [path, first, last] = [found[1]!, Number(found[2]), Number(found[3])];
  return { path, range: { start: { line: first - 1, character: 0 }, end: { line: last, character: 0 } } };
}

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
