// node scripts/bundle.mjs <folder>: the command as a few files, because each verb needs hundreds of modules, which Node
// would find, read and compile one by one.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../', import.meta.url));

const folder = process.argv[2];
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['src/cli/main.ts', 'src/tasks/assembly-thread.ts'],
  entryNames: '[name]', // side by side: the thread's script is looked for beside what starts it
  outdir: resolve(folder),
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: ['@duckdb/*', 'onnxruntime-*', 'sharp', 'proper-lockfile'], // native, or no ECMAScript modules
  metafile: true,
});
writeFileSync(join(folder, 'third-party.txt'), notices(Object.keys(metafile.inputs)));

/** Of each package among the files its name, version and licence, and the notices that it and its files carry. */
function notices(files) {
  const packageOf = (file) => file.match(/^.*node_modules\/(@[^/]+\/)?[^/]+/)?.[0];
  const packages = new Set(files.map(packageOf).filter((path) => path !== undefined));
  return [...packages]
    .map((path) => {
      const { name, version, license } = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8'));
      const text = join(root, path, 'LICENSE');
      const own = files.filter((file) => packageOf(file) === path).map((file) => copyright(join(root, file)));
      return [
        `${name} ${version}: ${license}`,
        ...(existsSync(text) ? [readFileSync(text, 'utf8').trim()] : []),
        ...new Set(own),
      ]
        .filter((part) => part !== '')
        .join('\n\n');
    })
    .join(`\n\n${'-'.repeat(80)}\n\n`);
}

/** The comment at the head of a file, where it says whose the file is. */
function copyright(file) {
  const head = readFileSync(file, 'utf8').match(/^((\/\/.*\n)+|\/\*[\s\S]*?\*\/)/)?.[0] ?? '';
  return /copyright/i.test(head) ? head.trim() : '';
}
