/** What the server may be installed from: a clone or a wheel on this machine. No VS Code in here. */

import { readFile, stat } from 'node:fs/promises';
import { basename, isAbsolute, join } from 'node:path';
import { hides, shown } from './methods';

const WHEEL = /^codemoat-[\w.!+-]+\.whl$/;
const NAMED = /^name\s*=\s*["']codemoat["']\s*$/m;
const MOST_BYTES = 1_000_000;

/**
 * Why `source` cannot be installed, as a sentence; undefined if it can.
 *
 * A name is never one: nothing of this project is on a package index, so `codemoat` there would be somebody else's.
 */
export async function refused(source: string): Promise<string | undefined> {
  if (hides(source)) {
    return `The path ${shown(source)} holds control characters or hidden ones. Rename it, then try again.`;
  }
  if (!isAbsolute(source)) {
    return `"${source}" is not the full path of a folder or a wheel. codemoat is on no package index: a package of that name is not ours.`;
  }
  const found = await stat(source).catch(() => undefined);
  if (!found) {
    return `There is no ${source}.`;
  }
  if (found.isFile()) {
    return WHEEL.test(basename(source)) ? undefined : `${basename(source)} is not a wheel of codemoat: its name must be codemoat-….whl.`;
  }
  return (await isClone(source)) ? undefined : `${source} is not a clone of codemoat: its pyproject.toml does not say so.`;
}

async function isClone(folder: string): Promise<boolean> {
  const file = join(folder, 'pyproject.toml');
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile() || found.size > MOST_BYTES) {
    return false;
  }
  return NAMED.test(await readFile(file, 'utf8').catch(() => ''));
}
