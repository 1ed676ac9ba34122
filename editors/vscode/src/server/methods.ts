/** Ways to install the server, as commands that are shown before anything runs. No VS Code in here. */

import { inEnvironment } from './find';

export interface Method {
  name: string;
  /** Program that must be there. */
  needs: string;
  explanation: string;
  /** Programs with their arguments, one after the other. */
  steps: string[][];
}

/** The ways there are to install `source`, the full path of a clone or a wheel, with a Python of at least 3.11. */
export function methods(source: string, own: string, python: string): Method[] {
  const pythonInside = inEnvironment(own, process.platform === 'win32' ? 'python.exe' : 'python');
  return [
    {
      name: 'pip, into an environment of its own',
      needs: python,
      explanation: 'Touches nothing but this extension\'s folder; "codemoat: Remove Installed Server" deletes it.',
      steps: [
        [python, '-m', 'venv', own],
        [pythonInside, '-m', 'pip', 'install', source],
      ],
    },
    {
      name: 'uv, into an environment of its own',
      needs: 'uv',
      explanation: 'The same with uv, which is faster and brings a Python where there is none.',
      steps: [
        ['uv', 'venv', '--python', '>=3.11', own],
        ['uv', 'pip', 'install', '--python', pythonInside, source],
      ],
    },
    {
      name: 'uv tool',
      needs: 'uv',
      explanation: 'For the command line too: codemoat and codemoat-lsp, in ~/.local/bin.',
      steps: [['uv', 'tool', 'install', source]],
    },
    {
      name: 'pipx',
      needs: 'pipx',
      explanation: 'For the command line too: codemoat and codemoat-lsp, in ~/.local/bin.',
      steps: [['pipx', 'install', source]],
    },
  ];
}

const HIDING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** Whether a text holds what could hide a part of it: control characters, and those that turn text or have no width. */
export function hides(text: string): boolean {
  return HIDING.test(text);
}

/** A text with what could hide a part of it written out. To read, not to run. */
export function shown(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (hidden) => `\\u{${hidden.codePointAt(0)!.toString(16)}}`);
}

/** A command as somebody would type it in a POSIX shell, in PowerShell on Windows. Nothing in it is expanded. */
export function typed(step: readonly string[], windows = process.platform === 'win32'): string {
  const parts = step.map((part) => (windows ? forPowerShell(part) : forShell(part)));
  // PowerShell takes a quoted text at the beginning of a line for a value, not for a program.
  return windows && parts[0]!.startsWith("'") ? `& ${parts.join(' ')}` : parts.join(' ');
}

function forShell(part: string): string {
  return /^[\w@%+:,./-]+$/.test(part) ? part : `'${part.replaceAll("'", "'\\''")}'`;
}

function forPowerShell(part: string): string {
  // PowerShell takes typographic quotes for the plain one.
  return /^[\w+:.\\/-]+$/.test(part) ? part : `'${part.replace(/['\u2018-\u201b]/g, '$&$&')}'`;
}
