/** The connection to the server: started, watched, started again. */

import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import * as vscode from 'vscode';
import type { LanguageClient, LanguageClientOptions, Middleware, StaticFeature } from 'vscode-languageclient/node';
import { declaredKeys, explicitSettings } from '../settings';
import type { ServerCommand } from './find';

type Library = typeof import('./library');

/** Restarts within `WINDOW_MS` before the user is asked. */
const MOST_RESTARTS = 5;
const WINDOW_MS = 3 * 60_000;
/** How long a request waits for a server that is starting. */
const STARTING_MS = 20_000;

export type ServerState = 'stopped' | 'starting' | 'running' | 'failed';

export class Server implements vscode.Disposable {
  private client: LanguageClient | undefined;
  private readonly changed = new vscode.EventEmitter<ServerState>();
  private readonly started = new vscode.EventEmitter<LanguageClient>();
  private restarts: number[] = [];
  /** The last start or stop. They come one after the other: two at once would leave a server that nobody stops. */
  private turn: Promise<void> = Promise.resolve();
  state: ServerState = 'stopped';
  command: ServerCommand | undefined;
  readonly onDidChangeState = this.changed.event;
  /** A client that is about to start: the place to register what it is to receive. */
  readonly onWillStart = this.started.event;

  constructor(
    private readonly output: vscode.LogOutputChannel,
    private readonly manifest: unknown,
    private readonly middleware: Middleware,
  ) {}

  get running(): LanguageClient | undefined {
    return this.state === 'running' ? this.client : undefined;
  }

  /** Start it, in place of one that runs. */
  start(command: ServerCommand): Promise<void> {
    return this.inTurn(() => this.starting(command));
  }

  stop(): Promise<void> {
    return this.inTurn(() => this.stopping());
  }

  private async starting(command: ServerCommand): Promise<void> {
    await this.stopping();
    this.command = command;
    this.output.info(`Starting ${[command.command, ...command.args].join(' ')} (${command.origin})`);
    const library = await import('./library');
    const client = new library.LanguageClient('codemoat', 'codemoat', this.executable(command), this.options(library));
    client.registerFeature(announced);
    this.client = client;
    client.onDidChangeState(({ newState }) => {
      if (this.client === client) {
        this.set(newState === library.State.Running ? 'running' : newState === library.State.Starting ? 'starting' : 'stopped');
      }
    });
    this.started.fire(client);
    try {
      await client.start();
    } catch (error) {
      if (this.client === client) {
        this.output.error(`The server did not start: ${String(error)}`);
        this.set('failed');
      }
    }
  }

  private async stopping(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    if (client?.needsStop()) {
      // A server that hangs must not keep the editor from going on.
      await client.dispose(2000).catch(() => undefined);
    }
    this.set('stopped');
  }

  private inTurn(act: () => Promise<void>): Promise<void> {
    this.turn = this.turn.then(act, act);
    return this.turn;
  }

  /** Ask the server, once it runs where it is just starting. Throws an Error whose message says what to do where there is no server, or it refuses. */
  async request<Result>(method: string, params?: unknown, token?: vscode.CancellationToken): Promise<Result> {
    if (this.state === 'starting') {
      await this.settled();
    }
    const client = this.running;
    if (!client) {
      throw new Error('The codemoat server is not running. Click "codemoat" in the status bar to see why.');
    }
    // The library sends whatever comes after the method as parameters, a token that is undefined too.
    const given = [...(params === undefined || params === null ? [] : [params]), ...(token ? [token] : [])];
    return (client.sendRequest as (...all: unknown[]) => Promise<Result>).call(client, method, ...given);
  }

  /** Waits until it runs or does not, for as long as somebody may wait for a start. */
  private settled(): Promise<void> {
    return new Promise((done) => {
      const timer = setTimeout(() => end(), STARTING_MS);
      const listening = this.onDidChangeState((state) => state !== 'starting' && end());
      const end = () => {
        clearTimeout(timer);
        listening.dispose();
        done();
      };
    });
  }

  /** Tell the server something; dropped where it is not running. */
  notify(method: string, params: unknown): void {
    // Nobody waits for a notification, and one that is lost with the server is not needed.
    this.running?.sendNotification(method, params).catch(() => undefined);
  }

  dispose(): void {
    void this.stop();
    this.changed.dispose();
    this.started.dispose();
  }

  private executable(command: ServerCommand) {
    const settings = vscode.workspace.getConfiguration('codemoat.server');
    const env = { ...process.env, ...settings.get<Record<string, string>>('env', {}) };
    return { command: command.command, args: command.args, options: { env } };
  }

  private options(library: Library): LanguageClientOptions {
    return {
      documentSelector: [{ scheme: 'file' }, { scheme: 'untitled' }, { scheme: 'vscode-notebook-cell' }],
      outputChannel: this.output,
      revealOutputChannelOn: library.RevealOutputChannelOn.Never,
      initializationFailedHandler: () => false,
      errorHandler: {
        error: () => ({ action: library.ErrorAction.Continue, handled: true }),
        closed: () => this.closed(library),
      },
      middleware: {
        ...this.middleware,
        workspace: {
          ...this.middleware.workspace,
          configuration: (params) =>
            params.items.map((item) => {
              if (item.section !== 'codemoat') {
                return null;
              }
              const scope = item.scopeUri ? vscode.Uri.parse(item.scopeUri) : undefined;
              const found = vscode.workspace.getConfiguration('codemoat', scope);
              return explicitSettings(declaredKeys(this.manifest), (key) => found.inspect(key));
            }),
        },
      },
    };
  }

  private closed(library: Library) {
    const program = this.command?.command ?? '';
    if (isAbsolute(program) && !existsSync(program)) {
      // Uninstalled while it ran. The library would tell of a restart that failed.
      this.output.warn(`The server ended, and ${program} is gone, so it is not started again.`);
      this.set('failed');
      return { action: library.CloseAction.DoNotRestart, handled: true };
    }
    const now = Date.now();
    this.restarts = [...this.restarts.filter((at) => now - at < WINDOW_MS), now];
    if (this.restarts.length <= MOST_RESTARTS) {
      this.output.warn('The server ended; starting it again.');
      return { action: library.CloseAction.Restart, handled: true };
    }
    this.set('failed');
    void this.offerRestart();
    return { action: library.CloseAction.DoNotRestart, handled: true };
  }

  private async offerRestart(): Promise<void> {
    const [again, log] = ['Start again', 'Show log'];
    const text = `The codemoat server ended ${MOST_RESTARTS + 1} times in 3 minutes and is left off now.`;
    const chosen = await vscode.window.showErrorMessage(text, again, log);
    if (chosen === again && this.command) {
      this.restarts = [];
      await this.start(this.command);
    } else if (chosen === log) {
      this.output.show();
    }
  }

  private set(state: ServerState): void {
    if (state !== this.state) {
      this.state = state;
      this.changed.fire(state);
    }
  }
}

/** Tells the server what this client does beyond the protocol. */
const announced: StaticFeature = {
  fillClientCapabilities: (capabilities) => {
    capabilities.experimental = { ...capabilities.experimental, codemoat: { statusChanged: true, didShow: true } };
  },
  initialize: () => undefined,
  getState: () => ({ kind: 'static' }),
  clear: () => undefined,
};
