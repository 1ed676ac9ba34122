/** What VS Code runs inside its extension host: mocha on the suite, its report into the file that the test waits for. */

import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Mocha from 'mocha';

interface Report {
  passed: string[];
  failed: { title: string; error: string }[];
}

export async function run(): Promise<void> {
  const mocha = new Mocha({ ui: 'bdd', timeout: 60_000 });
  mocha.addFile(join(__dirname, 'suite.js'));
  const report: Report = { passed: [], failed: [] };
  await new Promise<void>((done) => {
    const runner = mocha.run(() => done());
    runner.on('pass', (test) => report.passed.push(test.fullTitle()));
    runner.on('fail', (test, error: Error) => {
      report.failed.push({ title: test.fullTitle(), error: error.stack ?? error.message });
    });
  });
  const file = process.env['CODEMOAT_TEST_RESULT']!;
  writeFileSync(`${file}.part`, JSON.stringify(report));
  renameSync(`${file}.part`, file);
  if (report.failed.length > 0) {
    throw new Error(`${report.failed.length} tests failed`);
  }
}
