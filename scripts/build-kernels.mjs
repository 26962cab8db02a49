/**
 * Compiles the AssemblyScript SIMD kernels and writes each as a base64 TypeScript module, so that it loads anywhere at once.
 * With --check it writes nothing and fails where a module is not what its source compiles to. Plain JavaScript, because
 * the compiler is 10 MB that tsx would transform first.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const sources = ['src/random/philox.as', 'src/optim/kernels.as']; // an extension that no TypeScript tool takes for its own
const flags = '-O3 --noAssert --runtime stub --importMemory --enable simd'.split(' ');
const MOST_BYTES = 4096; // a page may compile no more than this at once

async function compile(source) {
  let binary;
  const { error, stderr } = await asc.main(['kernel.ts', '--outFile', 'kernel.wasm', ...flags], {
    readFile: (name) => (name === 'kernel.ts' ? readFile(join(root, source), 'utf8') : null),
    writeFile: (_name, contents) => {
      binary = contents;
    },
    listFiles: () => [],
  });
  if (error) throw new Error(`${source}: ${error.message}\n${stderr}`);
  if (binary.length >= MOST_BYTES)
    throw new Error(`${source}: ${binary.length} bytes, expected below ${MOST_BYTES}`);
  return binary;
}

const moduleOf = (source, binary) =>
  `// Compiled from ${source} by scripts/build-kernels.mjs; do not edit.
export const WASM =
  '${Buffer.from(binary).toString('base64')}';\n`;

for (const source of sources) {
  const binary = await compile(source);
  const path = join(root, source.replace(/\.as$/, '.wasm.ts'));
  const text = moduleOf(source, binary);
  if (!process.argv.includes('--check')) await writeFile(path, text);
  else if ((await readFile(path, 'utf8')) !== text)
    throw new Error(`${path} is not what ${source} compiles to: run node scripts/build-kernels.mjs`);
  process.stdout.write(`${source}: ${binary.length} bytes\n`);
}
