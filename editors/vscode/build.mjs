// node build.mjs [--tests]: bundles of the extension and its views into dist/, of the tests into dist/test/.
import { build } from 'esbuild';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';

// VS Code's extension host knows `vscode` by `require` alone.
const REQUIRED = { 'dynamic-import': false };
const common = { bundle: true, logLevel: 'warning', target: 'es2022', legalComments: 'none' };
const host = { ...common, platform: 'node', format: 'cjs', external: ['vscode', 'mocha', './library'], supported: REQUIRED };

// Before any module of the bundle is run, so that activation can be told from its beginning.
const BEGAN = { js: 'const codemoatBegan = performance.now();' };

await rm('dist', { recursive: true, force: true });
await mkdir('dist/web', { recursive: true });
await Promise.all([
  build({ ...host, entryPoints: ['src/extension.ts'], outfile: 'dist/extension.js', minify: true, banner: BEGAN }),
  build({ ...host, entryPoints: ['src/server/library.ts'], outfile: 'dist/library.js', minify: true }),
  build({
    ...common,
    entryPoints: { chat: 'web/chat/main.ts', search: 'web/search/main.ts' },
    outdir: 'dist/web',
    format: 'iife',
    minify: true,
  }),
  style(),
]);
if (process.argv.includes('--tests')) {
  await Promise.all([
    build({ ...host, entryPoints: ['index', 'suite', 'activation'].map((name) => `test/host/${name}.ts`), outdir: 'dist/test/host' }),
    build({ ...host, entryPoints: ['test/unit/all.test.ts'], outdir: 'dist/test/unit' }),
    build({ ...common, entryPoints: ['test/page/harness.ts'], outdir: 'dist/test/page', format: 'iife' }),
  ]);
}

/** One style for both views. */
async function style() {
  const parts = await Promise.all(['web/style.css', 'web/search/style.css'].map((file) => readFile(file, 'utf8')));
  await writeFile('dist/web/style.css', parts.join('\n'));
}
