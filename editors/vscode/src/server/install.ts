/** The offer to install the server. Nothing runs before somebody has seen its commands and chosen them. */

import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import * as vscode from 'vscode';
import { withHome } from './find';
import { fromIndex, methods, typed, type Method } from './methods';

const PYTHONS = process.platform === 'win32' ? ['py', 'python'] : ['python3', 'python3.13', 'python3.12', 'python3.11'];
const OLD_ENOUGH = 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))';
const LOOK_MS = 5000;

interface Choice extends vscode.QuickPickItem {
  method?: Method;
  /** Ask for another source. */
  browse?: boolean;
}

/** Let somebody choose how to install the server, and do it in a terminal. Whether it was done. */
export async function installServer(own: string): Promise<boolean> {
  const source = withHome(vscode.workspace.getConfiguration('codemoat.server').get('source', 'codemoat'));
  const chosen = await vscode.window.showQuickPick(choices(source, own), {
    title: 'Install the codemoat server: these commands will run in a terminal',
    placeHolder: 'It runs on this machine and sends your code nowhere. Esc: do nothing',
    matchOnDetail: true,
    ignoreFocusOut: true,
  });
  if (chosen?.browse) {
    return (await chooseSource()) && installServer(own);
  }
  if (!chosen?.method) {
    return false;
  }
  for (const step of chosen.method.steps) {
    const code = await inTerminal(step);
    if (code !== 0) {
      const text = `The server is not installed: "${typed(step)}" ended with ${code}. The terminal says why.`;
      void vscode.window.showErrorMessage(text);
      return false;
    }
  }
  return true;
}

/** Let somebody name a clone or a wheel, and keep it as a setting. */
async function chooseSource(): Promise<boolean> {
  const found = await vscode.window.showOpenDialog({
    title: 'A clone of codemoat, or a wheel of it',
    canSelectFolders: true,
    canSelectFiles: true,
    filters: { Wheels: ['whl'] },
  });
  const file = found?.[0];
  if (file) {
    await vscode.workspace.getConfiguration('codemoat.server').update('source', file.fsPath, vscode.ConfigurationTarget.Global);
  }
  return file !== undefined;
}

/** Remove the extension's own environment. */
export async function removeServer(own: string): Promise<void> {
  await rm(own, { recursive: true, force: true });
}

async function choices(source: string, own: string): Promise<Choice[]> {
  const python = await firstThatRuns(PYTHONS.map((name) => [name, '-c', OLD_ENOUGH]));
  const from = fromIndex(source)
    ? `From the package index: nobody has checked that "${source}" there is this project's`
    : `From ${source}`;
  const found: Choice[] = [{ label: from, kind: vscode.QuickPickItemKind.Separator }];
  for (const method of methods(source, own, python ?? '')) {
    const there = method.needs && (method.needs === python || (await firstThatRuns([[method.needs, '--version']])));
    if (there) {
      const detail = method.steps.map(typed).join('  &&  ');
      found.push({ label: method.name, description: method.explanation, detail, method });
    }
  }
  const other: Choice[] = [
    { label: 'From elsewhere', kind: vscode.QuickPickItemKind.Separator },
    { label: 'Choose a folder or a wheel …', detail: 'A clone of the repository, or a .whl file on this machine.', browse: true },
  ];
  const missing = 'Neither Python 3.11 with venv nor uv nor pipx was found.';
  return found.length > 1
    ? [...found, ...other]
    : [{ label: missing, detail: 'Install one of them, then run this command again.' }];
}

async function firstThatRuns(commands: string[][]): Promise<string | undefined> {
  for (const [program, ...args] of commands) {
    try {
      await promisify(execFile)(program!, args, { timeout: LOOK_MS });
      return program;
    } catch {
      // Not there, or too old: the next one.
    }
  }
  return undefined;
}

/** Run a program where its output can be seen and it can be stopped; its exit code. */
async function inTerminal([program, ...args]: string[]): Promise<number | undefined> {
  const task = new vscode.Task(
    { type: 'codemoat' },
    vscode.TaskScope.Global,
    'install the server',
    'codemoat',
    new vscode.ProcessExecution(program!, args),
  );
  task.presentationOptions = { reveal: vscode.TaskRevealKind.Always, panel: vscode.TaskPanelKind.Shared };
  return new Promise((resolve) => {
    let running: vscode.TaskExecution | undefined;
    const ended = vscode.tasks.onDidEndTaskProcess((event) => {
      if (event.execution.task.name === task.name && (!running || event.execution === running)) {
        ended.dispose();
        resolve(event.exitCode);
      }
    });
    vscode.tasks.executeTask(task).then(
      (execution) => {
        running = execution;
      },
      () => {
        ended.dispose();
        resolve(undefined);
      },
    );
  });
}
