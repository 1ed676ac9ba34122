/** The extension inside its real host, with the real server and the real model. */

import * as assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as vscode from 'vscode';
import type { ChatReply } from '../../web/messages';
import type { Parts } from '../../src/commands';
import type { ChatAnswer, SearchResult, Status, Why } from '../../src/protocol';

const PATIENCE_MS = 45_000;

async function until<T>(condition: () => T | Promise<T>, what: string): Promise<NonNullable<T>> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await condition();
    if (found) {
      return found as NonNullable<T>;
    }
    assert.ok(Date.now() < end, `waited for ${what}`);
    await new Promise((next) => setTimeout(next, 30));
  }
}

function file(name: string): vscode.Uri {
  return vscode.Uri.joinPath(vscode.workspace.workspaceFolders![0]!.uri, name);
}

/** Write `text` at the end of a file and leave the cursor there. */
async function typed(name: string, text: string): Promise<vscode.TextEditor> {
  const editor = await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(file(name)));
  const end = editor.document.lineAt(editor.document.lineCount - 1).range.end;
  await editor.edit((edit) => edit.insert(end, text));
  const after = editor.document.lineAt(editor.document.lineCount - 1).range.end;
  editor.selection = new vscode.Selection(after, after);
  return editor;
}

describe('codemoat', () => {
  let parts: Parts;
  const status = () => parts.server.request<Status>('codemoat/status');

  /** Take suggestions until `text` is there. Asks again: one request may be cancelled or come to nothing. */
  async function taken(editor: vscode.TextEditor, text: string): Promise<void> {
    try {
      await until(async () => {
        await vscode.commands.executeCommand('editor.action.inlineSuggest.trigger');
        await vscode.commands.executeCommand('editor.action.inlineSuggest.commit');
        return editor.document.getText().includes(text);
      }, 'the suggestion to be taken');
    } catch (error) {
      const why = await parts.server.request<Why | null>('codemoat/why');
      throw new Error(`${String(error)}; the last was ${why?.outcome}, ${why?.reason}; the file: ${editor.document.getText()}`);
    }
  }

  before(async () => {
    const extension = vscode.extensions.getExtension<Parts>('codemoat.codemoat')!;
    parts = await extension.activate();
    await until(() => parts.server.state === 'running', 'the server');
    await until(async () => (await status()).folders[0]?.state === 'ready', 'the index');
  });

  afterEach(async () => {
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
  });

  it('suggests from another file, tells the server that it was shown and taken, and says why', async () => {
    const before = (await status()).suggestions.counts;
    const editor = await typed('use.py', '\nowed = ledger.out');
    await taken(editor, 'ledger.outstanding_balance(');
    const why = await until(() => parts.status.view.why, 'why');
    assert.equal(why.outcome, 'suggested');
    assert.match(why.context.join(), /^ledger\.py:/);
    const counts = await until(async () => {
      const { counts: now } = (await status()).suggestions;
      return (now['accepted'] ?? 0) > (before['accepted'] ?? 0) ? now : undefined;
    }, 'the acceptance');
    assert.ok((counts['shown'] ?? 0) + (counts['accepted'] ?? 0) > 0);
  });

  it('tells of a word that was taken', async () => {
    await typed('use.py', '\nrest = ledger.out');
    await vscode.commands.executeCommand('editor.action.inlineSuggest.trigger');
    const fate = await until(async () => {
      await vscode.commands.executeCommand('editor.action.inlineSuggest.acceptNextWord');
      const why = await parts.server.request<Why | null>('codemoat/why');
      return why?.fate === 'partially-accepted' || why?.fate === 'accepted' ? why : undefined;
    }, 'the word to be taken');
    assert.ok(fate.fate === 'accepted' || fate.acceptedCharacters > 0);
  });

  it('answers a question with sources first, then the text, then citations that open', async () => {
    const replies: ChatReply[] = [];
    const listening = parts.chat.sent.event((reply) => replies.push(reply));
    await typed('use.py', '');
    const answer: ChatAnswer = await parts.chat.ask('What does outstanding_balance return?', null, false);
    listening.dispose();
    const kinds = replies.map(({ kind }) => kind).filter((kind) => kind !== 'selection');
    assert.deepEqual(kinds.slice(0, 3), ['asked', 'sources', 'delta']);
    assert.equal(kinds.at(-1), 'done');
    const deltas = replies.flatMap((reply) => (reply.kind === 'delta' ? [reply.text] : []));
    assert.equal(deltas.join(''), answer.answer);
    const [place] = [...answer.citations, ...answer.sources];
    await parts.chat.receive({ kind: 'openPlace', uri: place!.uri, range: place!.range });
    const shown = vscode.window.activeTextEditor!;
    assert.equal(shown.document.uri.path, file('ledger.py').path);
    assert.equal(shown.selection.active.line, place!.range.start.line);
  });

  it('opens no file outside of the workspace for a page', async () => {
    const range = { start: { line: 0, character: 0 }, end: { line: 1, character: 0 } };
    void parts.chat.receive({ kind: 'openPlace', uri: 'file:///etc/passwd', range });
    await new Promise((next) => setTimeout(next, 200));
    assert.notEqual(vscode.window.activeTextEditor?.document.uri.path, '/etc/passwd');
  });

  it('inserts code at the cursor, indented as the line is', async () => {
    const editor = await typed('use.py', '\nif owed:\n    ');
    await until(async () => {
      await parts.chat.receive({ kind: 'insert', text: 'a = 1\nb = 2\n' });
      return editor.document.getText().endsWith('if owed:\n    a = 1\n    b = 2');
    }, 'the text');
  });

  it('lists, opens and regenerates conversations', async () => {
    const answer = await parts.chat.ask('Where are payments recorded?', null, false);
    const replies: ChatReply[] = [];
    const listening = parts.chat.sent.event((reply) => replies.push(reply));
    await parts.chat.receive({ kind: 'list' });
    await parts.chat.receive({ kind: 'openConversation', conversation: answer.conversation });
    await parts.chat.receive({ kind: 'regenerate', conversation: answer.conversation });
    listening.dispose();
    const history = replies.find((reply) => reply.kind === 'history');
    assert.ok(history?.conversations.some(({ conversation }) => conversation === answer.conversation));
    const opened = replies.find((reply) => reply.kind === 'conversation');
    assert.equal(opened?.conversation.turns[0]?.question, 'Where are payments recorded?');
    const done = replies.filter((reply) => reply.kind === 'done').at(-1);
    assert.equal(done?.answer.questions, 1);
  });

  it('stops an answer and keeps what was said', async () => {
    const listening = parts.chat.sent.event((reply) => {
      if (reply.kind === 'delta') {
        void parts.chat.receive({ kind: 'stop' });
      }
    });
    const answer = await parts.chat.ask('Explain record_payment and outstanding_balance of Ledger, step by step and at length.', null, false);
    listening.dispose();
    assert.equal(answer.stopReason, 'cancelled');
    assert.ok(answer.answer.length > 0);
  });

  /** Ask at length; `act` once the answer has begun. Replies that came from then on, without selections. */
  async function interrupted(act: () => Promise<unknown>): Promise<{ late: ChatReply[]; answer: ChatAnswer | undefined }> {
    const late: ChatReply[] = [];
    const streamed = (parts.chat as unknown as { streamed(event: object): void }).streamed.bind(parts.chat);
    let token = 0;
    let acting: Promise<unknown> | undefined;
    // The worst of a server: it goes on with what nobody waits for.
    const goOn = () => {
      streamed({ conversation: 'x', token, kind: 'delta', text: 'late' });
      streamed({ conversation: 'x', token, kind: 'sources', sources: [], stale: false });
    };
    let [interrupting, wentOn] = [false, false];
    const listening = parts.chat.sent.event((reply) => {
      if (interrupting && reply.kind !== 'selection') {
        late.push(reply);
        if (reply.kind === 'sources' && !wentOn) {
          wentOn = true;
          goOn();
        }
      } else if (reply.kind === 'delta') {
        // What it sends comes while it is called.
        interrupting = true;
        acting = act();
      }
    });
    const asking = parts.chat.ask('Explain record_payment and outstanding_balance of Ledger, step by step and at length.', null, false);
    ({ token } = (parts.chat as unknown as { current: { token: number } }).current);
    const answer = await asking.catch(() => undefined);
    await acting;
    goOn();
    listening.dispose();
    return { late, answer };
  }

  it('ends an answer for a new conversation, and nothing of it comes into that', async () => {
    const { late, answer } = await interrupted(async () => {
      await parts.chat.receive({ kind: 'new' });
      await parts.chat.receive({ kind: 'ask', question: 'What does Ledger do?', conversation: null, withSelection: false });
    });
    assert.deepEqual(late.slice(0, 2).map(({ kind }) => kind), ['new', 'asked']);
    const done = late.filter((reply) => reply.kind === 'done');
    assert.equal(done.length, 1);
    assert.notEqual(done[0]!.answer.conversation, answer?.conversation);
    const deltas = late.flatMap((reply) => (reply.kind === 'delta' ? [reply.text] : []));
    assert.equal(deltas.join(''), done[0]!.answer.answer);
    assert.equal(late.filter(({ kind }) => kind === 'sources').length, 1);
    assert.equal(answer?.stopReason, 'cancelled');
  });

  it('ends an answer for an earlier conversation, and nothing of it comes after that', async () => {
    const earlier = await parts.chat.ask('What is rent?', null, false);
    const { late } = await interrupted(() => parts.chat.receive({ kind: 'openConversation', conversation: earlier.conversation }));
    const at = late.findIndex((reply) => reply.kind === 'conversation');
    assert.ok(at >= 0);
    assert.deepEqual(late.slice(at + 1), []);
    const [opened] = late.slice(at);
    assert.equal(opened?.kind === 'conversation' && opened.conversation.conversation, earlier.conversation);
  });

  it('finds code, unsaved code too', async () => {
    await typed('use.py', '\ndef refund_the_customer(cents):\n    return -cents\n');
    await until(async () => {
      const found = await parts.server.request<SearchResult>('codemoat/search', { query: 'refund_the_customer' });
      return found.hits.some(({ path, text }) => path === 'use.py' && text.includes('refund_the_customer'));
    }, 'the unsaved function');
  });

  it('applies settings at once, and sends only what was set', async () => {
    const settings = vscode.workspace.getConfiguration('codemoat');
    assert.equal((await status()).suggestions.automatic, true);
    await settings.update('editor.automatic', false, vscode.ConfigurationTarget.Global);
    await until(async () => !(await status()).suggestions.automatic, 'the setting');
    await settings.update('editor.automatic', undefined, vscode.ConfigurationTarget.Global);
    await until(async () => (await status()).suggestions.automatic, 'the default');
  });

  it('snoozes, wakes and switches a language off by commands', async () => {
    await typed('use.py', '');
    await vscode.commands.executeCommand('codemoat.snoozeAWhile');
    assert.ok((await status()).suggestions.snoozedSeconds > 1700);
    await vscode.commands.executeCommand('codemoat.wake');
    assert.equal((await status()).suggestions.snoozedSeconds, 0);
    await vscode.commands.executeCommand('codemoat.toggleLanguage');
    assert.deepEqual((await status()).suggestions.languagesOff, ['python']);
    await vscode.commands.executeCommand('codemoat.toggleLanguage');
    assert.deepEqual((await status()).suggestions.languagesOff, []);
  });

  it('starts a killed server again, which goes on with the documents', async () => {
    const pids = () => execFileSync('pgrep', ['-P', String(process.pid), '-f', ' -m lsp$']).toString().split('\n');
    const [first] = await until(() => pids(), 'the process');
    process.kill(Number(first), 'SIGKILL');
    await until(() => parts.server.state !== 'running', 'the end');
    await until(() => parts.server.state === 'running', 'the start');
    await until(async () => (await status()).folders[0]?.state === 'ready', 'the index');
    const editor = await typed('use.py', '\nowed = ledger.out');
    await taken(editor, 'ledger.outstanding_balance(');
  });

  it('activates in a moment', () => {
    // Only a start that waits for something takes so long, on however busy a machine.
    assert.ok(parts.activation < 5_000, `activation took ${parts.activation} ms`);
  });
});
