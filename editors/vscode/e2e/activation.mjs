// Prints the milliseconds of each activation, one a line, as the extension logs them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BOOKS, GIVEN, open, until } from './world.mjs';

for (let start = 0; start < GIVEN.times; start += 1) {
  const world = await open({ files: BOOKS });
  try {
    await world.workbench();
    const logs = join(world.data, 'logs');
    const found = await until(() => {
      const file = readdirSync(logs, { recursive: true }).find((name) => name.endsWith('codemoat.log'));
      return file && /Activated in ([\d.]+) ms/.exec(readFileSync(join(logs, file), 'utf8'));
    }, 'the activation');
    console.log(found[1]);
  } finally {
    await world.close();
  }
}
