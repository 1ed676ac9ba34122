/** Where the parts are put together. */

import * as vscode from 'vscode';
import { ChatView } from './chat/view';
import { registerCommands, type Parts } from './commands';
import { Launch } from './launch';
import { SearchView } from './search/view';
import { Server } from './server/client';
import { StatusItem } from './status';
import { Suggestions } from './suggestions';
import { WhyView } from './why';

/** Set at the top of the bundle. */
declare const codemoatBegan: number;
/** Milliseconds that its modules took. Between them and `activate` VS Code does other things. */
const LOADING = performance.now() - codemoatBegan;

let server: Server | undefined;

export function activate(context: vscode.ExtensionContext): Parts {
  const began = performance.now();
  const output = vscode.window.createOutputChannel('codemoat', { log: true });
  const suggestions: Suggestions = new Suggestions(() => made);
  const made: Server = new Server(output, context.extension.packageJSON, {
    provideInlineCompletionItems: suggestions.provideInlineCompletionItems,
  });
  server = made;
  const status = new StatusItem(made, suggestions);
  const launch = new Launch(context, made, status);
  const chat = new ChatView(made, context.extensionUri);
  const search = new SearchView(made, context.extensionUri);
  const why = new WhyView();
  const starting = (work: Promise<unknown>) =>
    void work.catch((error) => {
      output.error(`The server was not started: ${String(error)}`);
      status.update({ server: 'failed' });
    });
  const parts: Parts = { server: made, status, launch, chat, search, output, activation: 0 };
  context.subscriptions.push(
    output,
    suggestions,
    made,
    status,
    chat,
    why,
    status.onDidChange((view) => why.show(view.why)),
    // An answer goes on while the view is hidden.
    vscode.window.registerWebviewViewProvider(ChatView.id, chat, { webviewOptions: { retainContextWhenHidden: true } }),
    vscode.window.registerWebviewViewProvider(SearchView.id, search, { webviewOptions: { retainContextWhenHidden: true } }),
    vscode.window.registerTreeDataProvider('codemoat.why', why),
    ...registerCommands(parts),
    vscode.workspace.onDidGrantWorkspaceTrust(() => made.state !== 'running' && starting(launch.start())),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('codemoat.server.command') || event.affectsConfiguration('codemoat.server.env')) {
        starting(launch.start());
      }
    }),
  );
  // Not awaited: the editor goes on starting while the server is looked for.
  starting(launch.begin());
  parts.activation = LOADING + performance.now() - began;
  output.info(`Activated in ${parts.activation.toFixed(1)} ms`);
  return parts;
}

export async function deactivate(): Promise<void> {
  await server?.stop();
}
