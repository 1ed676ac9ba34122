/** The offer to install the server. Nothing runs before somebody has read the commands in full and said so. */

import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import * as vscode from 'vscode';
import { withHome } from './find';
import { methods, typed, type Method } from './methods';
import { refused } from './source';

const PYTHONS = process.platform === 'win32' ? ['py', 'python'] : ['python3', 'python3.13', 'python3.12', 'python3.11'];
const OLD_ENOUGH = 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))';
const LOOK_MS = 5000;

interface Choice extends vscode.QuickPickItem {
  method?: Method;
  /** Ask for another folder or wheel. */
  browse?: 'folder' | 'wheel';
}

const BROWSE: Choice[] = [
  { label: 'Choose a folder …', description: 'a clone of the repository of codemoat', browse: 'folder' },
  { label: 'Choose a wheel …', description: 'a codemoat-….whl on this machine', browse: 'wheel' },
];
const MISSING = 'Neither Python 3.11 with venv nor uv nor pipx was found. Install one of them, then try again.';
const [COPY, RUN] = ['Copy the Commands', 'Run Them in a Terminal'];

/** Let somebody choose what to install and how, read the commands, and run them in a terminal. Whether it was done. */
export async function installServer(own: string): Promise<boolean> {
  const setting = withHome(vscode.workspace.getConfiguration('codemoat.server').get('source', '').trim());
  const problem = setting ? await refused(setting) : undefined;
  const source = setting && !problem ? setting : await chooseSource(problem);
  return source !== undefined && installFrom(source, own);
}

async function installFrom(source: string, own: string): Promise<boolean> {
  const ways = await choices(source, own);
  if (ways.length === 0) {
    void vscode.window.showErrorMessage(MISSING);
    return false;
  }
  const elsewhere: Choice = { label: 'From elsewhere', kind: vscode.QuickPickItemKind.Separator };
  const chosen = await vscode.window.showQuickPick([...ways, elsewhere, ...BROWSE], {
    title: `Install the codemoat server from ${source}`,
    placeHolder: 'How? You read the commands before they run. Esc: do nothing',
    ignoreFocusOut: true,
  });
  if (chosen?.browse) {
    const other = await browse(chosen.browse);
    return other !== undefined && installFrom(other, own);
  }
  return chosen?.method !== undefined && (await agreed(chosen.method)) && run(chosen.method);
}

/** Show every command in full. The button that Enter presses copies them; nothing runs unless that was asked for. */
async function agreed(method: Method): Promise<boolean> {
  const commands = method.steps.map(typed);
  const detail = `${commands.join('\n\n')}\n\n${method.explanation} The packages that codemoat needs are fetched as your settings of pip or uv say.`;
  const text = 'These commands would install the codemoat server:';
  const chosen = await vscode.window.showInformationMessage(text, { modal: true, detail }, COPY, RUN);
  if (chosen === COPY) {
    await vscode.env.clipboard.writeText(commands.join('\n'));
  }
  return chosen === RUN;
}

async function run(method: Method): Promise<boolean> {
  for (const step of method.steps) {
    const code = await inTerminal(step);
    if (code !== 0) {
      const text = `The server is not installed: "${typed(step)}" ended with ${code}. The terminal says why.`;
      void vscode.window.showErrorMessage(text);
      return false;
    }
  }
  return true;
}

/** Ask for a clone or a wheel; `problem`: what is wrong with the one that the settings name. */
async function chooseSource(problem?: string): Promise<string | undefined> {
  const chosen = await vscode.window.showQuickPick(BROWSE, {
    title: 'Install the codemoat server: what from?',
    placeHolder: problem ?? 'codemoat is on no package index. Esc: do nothing',
    ignoreFocusOut: true,
  });
  return chosen?.browse && browse(chosen.browse);
}

/** Let somebody name a clone or a wheel, and keep it as a setting. */
async function browse(kind: 'folder' | 'wheel'): Promise<string | undefined> {
  const folder = kind === 'folder';
  const found = await vscode.window.showOpenDialog({
    title: folder ? 'A clone of codemoat' : 'A wheel of codemoat',
    canSelectFolders: folder,
    canSelectFiles: !folder,
    ...(folder ? {} : { filters: { Wheels: ['whl'] } }),
  });
  const path = found?.[0]?.fsPath;
  const problem = path && (await refused(path));
  if (problem) {
    void vscode.window.showErrorMessage(problem);
    return undefined;
  }
  if (path) {
    await vscode.workspace.getConfiguration('codemoat.server').update('source', path, vscode.ConfigurationTarget.Global);
  }
  return path;
}

/** Remove the extension's own environment. */
export async function removeServer(own: string): Promise<void> {
  await rm(own, { recursive: true, force: true });
}

/** The ways to install `source` whose programs are there. */
async function choices(source: string, own: string): Promise<Choice[]> {
  const python = await firstThatRuns(PYTHONS.map((name) => [name, '-c', OLD_ENOUGH]));
  const found: Choice[] = [];
  for (const method of methods(source, own, python ?? '')) {
    const there = method.needs && (method.needs === python || (await firstThatRuns([[method.needs, '--version']])));
    if (there) {
      found.push({ label: method.name, description: method.explanation, method });
    }
  }
  return found;
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
