/** Finding the server, starting it, offering to install it. */

import { join } from 'node:path';
import * as vscode from 'vscode';
import type { Server } from './server/client';
import { findServer } from './server/find';
import { installServer, removeServer } from './server/install';
import type { StatusItem } from './status';

const OFFERED = 'codemoat.offered';

export class Launch {
  /** Folder of the server's own environment. */
  readonly own: string;

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly server: Server,
    private readonly status: StatusItem,
  ) {
    this.own = join(context.globalStorageUri.fsPath, 'server');
  }

  /** Start the server that is there. Whether there is one. */
  async start(): Promise<boolean> {
    const found = await findServer({
      setting: vscode.workspace.getConfiguration('codemoat.server').get<string[]>('command', []),
      folders: (vscode.workspace.workspaceFolders ?? []).filter((f) => f.uri.scheme === 'file').map((f) => f.uri.fsPath),
      trusted: vscode.workspace.isTrusted,
      path: process.env['PATH'] ?? '',
      own: this.own,
    });
    if (!found) {
      this.status.update({ server: 'missing' });
      return false;
    }
    await this.server.start(found);
    return true;
  }

  /** Start it, and where there is none, say so once a workspace. */
  async begin(): Promise<void> {
    if ((await this.start()) || this.context.workspaceState.get(OFFERED)) {
      return;
    }
    await this.context.workspaceState.update(OFFERED, true);
    await this.offer();
  }

  async offer(): Promise<void> {
    const [install, choose, never] = ['Install …', 'Choose a program …', 'Not now'];
    const text = 'codemoat needs its server, a Python program on this machine. It was not found.';
    const chosen = await vscode.window.showInformationMessage(text, install, choose, never);
    if (chosen === install) {
      await this.install();
    } else if (chosen === choose) {
      await vscode.commands.executeCommand('workbench.action.openSettings', 'codemoat.server.command');
    }
  }

  async install(): Promise<void> {
    await this.server.stop();
    const done = await installServer(this.own);
    if (!(await this.start()) && done) {
      const text = 'The server was installed, but codemoat-lsp is not on the PATH. Name it in codemoat.server.command.';
      void vscode.window.showErrorMessage(text);
    }
  }

  async remove(): Promise<void> {
    const text = "Remove the server that this extension installed into its own folder? Models, indexes and conversations stay.";
    if ((await vscode.window.showWarningMessage(text, { modal: true, detail: this.own }, 'Remove')) === 'Remove') {
      await this.server.stop();
      await removeServer(this.own);
      await this.start();
    }
  }
}
