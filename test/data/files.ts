/** Small data files in a temporary folder that is removed when the tests end. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { Batch, BatchOptions, Dataset } from '../../src/data/rows.ts';

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'elbo-data-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a file and returns its path. */
export function put(folder: string, name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const NOBODY = 65534;

/** Runs as somebody who has only the rights of others, where the tests run as root, who may do everything. */
export async function withoutRights(work: () => Promise<void>): Promise<void> {
  if (process.getuid?.() !== 0) return work();
  process.seteuid!(NOBODY);
  try {
    await work();
  } finally {
    process.seteuid!(0);
  }
}

/**
 * A table of `n` rows with every type: a running number, a float, a date, a category, a yes or no, and
 * holes.
 */
export function mixedCsv(n: number): string {
  const lines = ['id, age,price,joined,city,member,note'];
  for (let i = 0; i < n; i++) {
    const r = (i * 7919) % 1000;
    const day = String(1 + (r % 28)).padStart(2, '0');
    const age = r % 50 === 0 ? ' ?' : ` ${18 + (r % 60)}`;
    const city = r % 40 === 1 ? 'NA' : ['Paris', 'Rome', "L'Aquila", 'Oslo'][r % 4];
    lines.push(`${i + 1},${age},${r / 100},${day}/03/2021,${city},${r % 3 ? 'Yes' : 'No'},"note, ${i}"`);
  }
  return `${lines.join('\n')}\n`;
}

export async function collect(dataset: Dataset, options: BatchOptions): Promise<Batch[]> {
  const batches: Batch[] = [];
  for await (const batch of dataset.batches(options)) batches.push(batch);
  return batches;
}

/** Row id → its values, one text a row, so that datasets can be compared whatever their order. */
export function byId(batches: readonly Batch[]): Map<number, string> {
  const rows = new Map<number, string>();
  for (const { rows: from, index, ids } of batches)
    index.forEach((i, k) => {
      rows.set(ids[k]!, from.columns.map((column) => column[i]).join(' '));
    });
  return rows;
}

export const idsOf = (batches: readonly Batch[]): number[] => batches.flatMap(({ ids }) => [...ids]);
