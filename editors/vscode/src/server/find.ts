/** Where the language server is. Looks at the file system only; starts nothing. */

import { access, constants, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

export type Origin = 'setting' | 'workspace' | 'PATH' | 'own environment';

export interface ServerCommand {
  command: string;
  args: string[];
  origin: Origin;
}

export interface Places {
  /** The setting `codemoat.server.command`; empty where it is to be found. */
  setting: readonly string[];
  /** Folders of the workspace. */
  folders: readonly string[];
  /** Programs of a workspace run only if it is trusted. */
  trusted: boolean;
  /** The variable PATH. */
  path: string;
  /** Folder of the extension's own environment. */
  own: string;
}

const WINDOWS = process.platform === 'win32';
const SCRIPTS = WINDOWS ? 'Scripts' : 'bin';
export const PROGRAM = WINDOWS ? 'codemoat-lsp.exe' : 'codemoat-lsp';

/** The first server there is, in the order: setting, the workspace's `.venv`, PATH, the extension's own environment. */
export async function findServer(places: Places): Promise<ServerCommand | undefined> {
  const [named, ...args] = places.setting;
  if (named) {
    return { command: withHome(named), args, origin: 'setting' };
  }
  for (const [file, origin] of candidates(places)) {
    if (await runs(file)) {
      return { command: file, args: [], origin };
    }
  }
  return undefined;
}

/** Where the program of an environment is. */
export function inEnvironment(folder: string, program = PROGRAM): string {
  return join(folder, SCRIPTS, program);
}

function* candidates(places: Places): Generator<[string, Origin]> {
  for (const folder of places.trusted ? places.folders : []) {
    yield [inEnvironment(join(folder, '.venv')), 'workspace'];
  }
  for (const folder of places.path.split(delimiter)) {
    // An empty or relative part of PATH would mean the folder that VS Code happens to run in.
    if (folder.startsWith('/') || /^[a-z]:[\\/]/i.test(folder)) {
      yield [join(folder, PROGRAM), 'PATH'];
    }
  }
  // Editors started from a desktop often lack what a shell adds to PATH; pipx and uv install here.
  yield [join(homedir(), '.local', 'bin', PROGRAM), 'PATH'];
  yield [inEnvironment(places.own), 'own environment'];
}

/** `~/` as the home folder: no shell reads these paths. */
export function withHome(file: string): string {
  return file.startsWith('~/') ? join(homedir(), file.slice(2)) : file;
}

async function runs(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
