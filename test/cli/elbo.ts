/** The real `elbo` command in a process of its own, and small data for it. */
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The command as it is published, in a package at `folder`. */
export async function compile(folder: string): Promise<string> {
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  copyFileSync(join(root, 'package.json'), join(folder, 'package.json'));
  await promisify(execFile)(process.execPath, [join(root, 'scripts/bundle.mjs'), join(folder, 'dist/cli')]);
  return join(folder, 'dist/cli/main.js');
}

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the compiled command with these words in `folder`. */
export function elbo(main: string, words: readonly string[], folder: string): Promise<Outcome> {
  const child = spawn(process.execPath, [main, ...words], {
    cwd: folder,
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    err += text;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
}

export const newFolder = (): string => mkdtempSync(join(tmpdir(), 'elbo-cli-'));

/** A table of `rows` rows: two numbers and a category that hang together. */
export function writeTable(path: string, rows = 80): void {
  const lines = Array.from({ length: rows }, (_, i) => {
    const kind = ['red', 'green', 'blue'][i % 3];
    return `${(i % 3) * 10 + (i % 7)},${((i * 37) % 100) / 4},${kind}`;
  });
  writeFileSync(path, `${['size', 'weight', 'kind'].join(',')}\n${lines.join('\n')}\n`);
}

export const quickly = ['--epochs', '1', '--hidden', '8', '--latent', '2', '--threads', '1'];

/** Every file and folder below `folder` with its content's hash. */
export function fingerprint(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(
    names.map((name) => {
      const path = join(folder, name);
      const content = statSync(path).isDirectory() ? 'folder' : readFileSync(path);
      return [name, createHash('sha256').update(content).digest('hex')];
    }),
  );
}
