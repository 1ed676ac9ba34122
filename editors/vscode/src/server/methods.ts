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

/** What could hide a part of a command: control characters, and those that turn the direction of text or have no width. */
const HIDING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** A command as somebody would type it, each part readable. */
export function typed(step: readonly string[]): string {
  return step.map(quoted).join(' ');
}

function quoted(part: string): string {
  if (HIDING.test(part)) {
    return JSON.stringify(part).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (hidden) => `\\u{${hidden.codePointAt(0)!.toString(16)}}`);
  }
  return /^[\w@%+=:,./\\-]+$/.test(part) ? part : part.includes("'") ? JSON.stringify(part) : `'${part}'`;
}
