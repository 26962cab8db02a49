/** MNIST binarised once, every pixel drawn with its own grey as the chance of white, by a fixed seed: one file for both sides. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stream } from '../../src/random/index.ts';
import { mnistFolder } from '../sources.ts';

/** Where models and made data are kept. */
export const ROOT = process.env['ELBO_REPRODUCE'] ?? join(tmpdir(), 'elbo-reproduce');

const SEED = 1;
const HEADER = 16; // bytes: magic number, pictures, rows, columns
const FILES = ['train-images-idx3-ubyte', 't10k-images-idx3-ubyte'];

/** The folder, made at the first call. */
export function staticDigits(): string {
  const folder = join(ROOT, 'static-digits');
  mkdirSync(folder, { recursive: true });
  for (const name of FILES) {
    const path = join(folder, name);
    if (!existsSync(path)) writeFileSync(path, drawn(readFileSync(join(mnistFolder(), name)), name));
  }
  return folder;
}

function drawn(file: Uint8Array, name: string): Uint8Array {
  const out = Uint8Array.from(file);
  const random = stream(SEED, `binarise ${name}`);
  const row = new Float32Array(28 * 28);
  for (let at = HEADER; at < out.length; at += row.length) {
    random.uniform(row);
    row.forEach((u, i) => {
      out[at + i] = u * 255 < file[at + i]! ? 255 : 0;
    });
  }
  return out;
}
