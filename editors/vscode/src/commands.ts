/** The commands of the palette, the menus and the status item. */

import * as vscode from 'vscode';
import type { ChatView } from './chat/view';
import type { Launch } from './launch';
import { openPlace } from './places';
import type { Place, Status } from './protocol';
import type { SearchView } from './search/view';
import type { Server } from './server/client';
import type { StatusItem } from './status';

export interface Parts {
  server: Server;
  status: StatusItem;
  launch: Launch;
  chat: ChatView;
  search: SearchView;
  output: vscode.LogOutputChannel;
  /** Milliseconds of extension code until it was active, its modules included. */
  activation: number;
}

const SNOOZE_MINUTES = 30;

export function registerCommands(parts: Parts): vscode.Disposable[] {
  const { server, status, launch, chat, search, output } = parts;
  const commands: Record<string, (...args: never[]) => unknown> = {
    menu: () => menu(parts),
    openChat: () => chat.focus(),
    newChat: () => chat.startNew(),
    askAboutSelection: () => chat.focus(''),
    openSearch: () => search.focus(selected()),
    why: () => vscode.commands.executeCommand('codemoat.why.focus'),
    suggest: () => vscode.commands.executeCommand('editor.action.inlineSuggest.trigger'),
    toggleAutomatic: () => toggleAutomatic(),
    toggleLanguage: () => toggleLanguage(server, status),
    snoozeAWhile: () => serverCommand(server, status, 'codemoat.snooze', SNOOZE_MINUTES),
    wake: () => serverCommand(server, status, 'codemoat.snooze', 0),
    updateIndex: () => index(server, status, 'update'),
    rebuildIndex: () => index(server, status, 'rebuild'),
    restart: () => launch.start().then((there) => (there ? undefined : launch.offer())),
    install: () => launch.install(),
    removeServer: () => launch.remove(),
    showLog: () => output.show(),
    openSettings: () => vscode.commands.executeCommand('workbench.action.openSettings', '@ext:codemoat.codemoat'),
    openPlace: (place: Place) => openPlace(place.uri, place.range),
  };
  return Object.entries(commands).map(([name, run]) =>
    vscode.commands.registerCommand(`codemoat.${name}`, async (...args: never[]) => {
      try {
        return await run(...args);
      } catch (error) {
        void vscode.window.showErrorMessage(`codemoat: ${(error as Error).message}`);
        return undefined;
      }
    }),
  );
}

interface Entry extends vscode.QuickPickItem {
  command?: string;
}

async function menu({ server, status }: Parts): Promise<void> {
  if (server.state === 'running') {
    await status.refresh();
  }
  const chosen = await vscode.window.showQuickPick(entries(status), { title: 'codemoat', matchOnDescription: true });
  if (chosen?.command) {
    await vscode.commands.executeCommand(chosen.command);
  }
}

function entries({ view }: StatusItem): Entry[] {
  const found: Entry[] = [];
  const add = (icon: string, label: string, command: string, description = '') =>
    found.push({ label: `$(${icon}) ${label}`, command: `codemoat.${command}`, description });
  const { status } = view;
  if (!status) {
    add('desktop-download', 'Install the server …', 'install');
    add('debug-restart', 'Start the server', 'restart');
  } else {
    const { suggestions, model } = status;
    const why = view.why ? `the last one: ${view.why.outcome}` : '';
    add('question', 'Why this suggestion, or none', 'why', why);
    if (suggestions.snoozedSeconds > 0) {
      add('bell', 'Wake suggestions', 'wake', `${Math.ceil(suggestions.snoozedSeconds / 60)} min left`);
    } else {
      add('bell-slash', `Snooze suggestions for ${SNOOZE_MINUTES} minutes`, 'snoozeAWhile');
    }
    add('zap', suggestions.automatic ? 'Suggest only when asked for' : 'Suggest while typing', 'toggleAutomatic');
    if (view.language) {
      const off = suggestions.languagesOff.includes(view.language);
      add('code', `Switch suggestions ${off ? 'on' : 'off'} for ${view.language}`, 'toggleLanguage', 'until the server ends');
    }
    add('comment-discussion', 'Chat', 'openChat', `model ${model.name}: ${model.state}`);
    add('search', 'Search', 'openSearch');
    add('database', 'Update the index', 'updateIndex', indexWords(status));
    add('debug-restart', 'Restart the server', 'restart');
  }
  add('output', 'Show the log', 'showLog');
  add('gear', 'Settings', 'openSettings');
  return found;
}

function indexWords(status: Status): string {
  return status.folders.map((folder) => `${folder.name}: ${folder.state}, ${folder.files ?? 0} files`).join('; ');
}

function selected(): string | undefined {
  const editor = vscode.window.activeTextEditor;
  const text = editor ? editor.document.getText(editor.selection).trim() : '';
  return text && !text.includes('\n') ? text : undefined;
}

async function toggleAutomatic(): Promise<void> {
  const settings = vscode.workspace.getConfiguration('codemoat');
  const now = settings.get('editor.automatic', true);
  await settings.update('editor.automatic', !now, vscode.ConfigurationTarget.Global);
}

async function toggleLanguage(server: Server, status: StatusItem): Promise<void> {
  const language = vscode.window.activeTextEditor?.document.languageId;
  if (!language) {
    throw new Error('Open a file of the language first.');
  }
  await serverCommand(server, status, 'codemoat.toggle', language);
}

async function serverCommand(server: Server, status: StatusItem, command: string, argument: unknown): Promise<void> {
  await server.request('workspace/executeCommand', { command, arguments: [argument] });
  await status.refresh();
}

async function index(server: Server, status: StatusItem, what: 'update' | 'rebuild'): Promise<void> {
  status.update({ status: await server.request<Status>('codemoat/index', { do: what }) });
}
