/** The status item as words. No VS Code in here. */

import type { FolderStatus, Status, Why } from './protocol';

export interface View {
  /** What the server told last; undefined while it does not run. */
  status?: Status | undefined;
  server: 'missing' | 'untrusted' | 'stopped' | 'starting' | 'running' | 'failed';
  /** Milliseconds from asking for the last suggestion to its answer. */
  latency?: number | undefined;
  why?: Why | null | undefined;
  /** Language of the open document, as the editor calls it. */
  language?: string | undefined;
}

export interface Described {
  text: string;
  /** For a screen reader, without icons. */
  label: string;
  /** One line of the tooltip each. */
  lines: string[];
  warn: boolean;
}

export function describe(view: View): Described {
  const short = brief(view);
  const label = `codemoat: ${short.words}`;
  return { text: `$(${short.icon}) ${short.shown}`, label, lines: [label, ...details(view)], warn: short.warn ?? false };
}

interface Brief {
  icon: string;
  words: string;
  shown: string;
  warn?: boolean;
}

function brief({ server, status, latency, language }: View): Brief {
  if (server === 'missing') {
    return { icon: 'warning', words: 'the server is not installed', shown: 'codemoat: set up', warn: true };
  }
  if (server === 'failed' || (server === 'stopped' && !status)) {
    return { icon: 'error', words: 'the server is not running', shown: 'codemoat: stopped', warn: true };
  }
  if (!status || server === 'starting' || server === 'stopped') {
    return { icon: 'loading~spin', words: 'starting', shown: 'codemoat' };
  }
  const { model, suggestions } = status;
  if (model.state === 'missing') {
    return { icon: 'cloud-download', words: 'the model is not on this machine', shown: 'codemoat: no model', warn: true };
  }
  if (model.state === 'failed') {
    return { icon: 'error', words: 'the model failed', shown: 'codemoat: model failed', warn: true };
  }
  if (model.state === 'loading') {
    return { icon: 'loading~spin', words: 'loading the model', shown: 'codemoat: loading' };
  }
  if (!suggestions.enabled) {
    return { icon: 'circle-slash', words: 'suggestions are off', shown: 'codemoat: off' };
  }
  if (suggestions.snoozedSeconds > 0) {
    const minutes = Math.ceil(suggestions.snoozedSeconds / 60);
    return { icon: 'bell-slash', words: `suggestions snoozed for ${minutes} min`, shown: `codemoat: ${minutes} min` };
  }
  if (language && suggestions.languagesOff.includes(language)) {
    return { icon: 'circle-slash', words: `suggestions are off for ${language}`, shown: `codemoat: not ${language}` };
  }
  const busy = status.folders.find((folder) => folder.state === 'indexing');
  if (busy) {
    return { icon: 'sync~spin', words: 'indexing', shown: `codemoat${percent(busy)}` };
  }
  const files = status.folders.filter(({ state }) => state === 'ready').reduce((sum, each) => sum + (each.files ?? 0), 0);
  const words = files > 0 ? `ready, ${files} files indexed` : 'ready';
  return { icon: 'sparkle', words, shown: latency === undefined ? 'codemoat' : `codemoat ${latency} ms` };
}

function details({ status, latency, why }: View): string[] {
  if (!status) {
    return [];
  }
  const { model, suggestions } = status;
  const lines = [`Model: ${model.name}, ${model.state}${model.problem ? `. ${model.problem}` : ''}`];
  lines.push(`Suggestions: ${suggestions.enabled ? (suggestions.automatic ? 'while typing' : 'when asked for') : 'off'}`);
  if (latency !== undefined) {
    lines.push(`Last suggestion: ${latency} ms${reuse(why)}`);
  }
  for (const folder of status.folders) {
    const problem = folder.problem ? `. ${folder.problem}` : '';
    lines.push(`Index of ${folder.name}: ${folder.state}, ${folder.files ?? 0} files${percent(folder)}${problem}`);
  }
  return lines;
}

/** How much of the prompt was known already. */
export function reuse(why: Why | null | undefined): string {
  if (!why) {
    return '';
  }
  if (why.reused) {
    return ', known already';
  }
  const { reused_tokens: reused, evaluated_tokens: evaluated } = why.timings;
  return reused === undefined || evaluated === undefined ? '' : `, ${reused} of ${reused + evaluated} tokens reused`;
}

function percent(folder: FolderStatus): string {
  const { files_done: done, files_total: total } = folder.progress ?? {};
  return folder.state === 'indexing' && done !== undefined && total ? ` ${Math.floor((100 * done) / total)} %` : '';
}
