// Prints the milliseconds of each activation, one a line.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BOOKS, existsSync, EXTENSION, GIVEN, open, until } from './world.mjs';

for (let start = 0; start < GIVEN.times; start += 1) {
  const world = await open({ files: BOOKS, vsix: null, driver: true });
  try {
    await world.workbench([
      ['extensionDevelopmentPath', world.remote(EXTENSION)],
      ['extensionTestsPath', world.remote(join(EXTENSION, 'dist/test/host/activation.js'))],
    ]);
    const file = join(world.home, 'mocha.json');
    await until(() => existsSync(file), 'the activation');
    console.log(readFileSync(file, 'utf8'));
  } finally {
    await world.close();
  }
}
