/** `reconstruct`: rows through the encoder and back. */
import { concatRows, modelFields, type Rows, takeRows } from '../data/index.ts';
import { UserError } from '../errors.ts';
import { draw } from './decode.ts';
import { encodeBatch } from './encode.ts';
import type { Model } from './model.ts';
import { batchesOf, checkCount, openRows, type RowOptions } from './rows.ts';

export interface ReconstructOptions extends RowOptions {
  readonly seed?: number;
  /** Decode the mean of q(z|x) to the mean of p(x|z) (default), or draw both. */
  readonly mean?: boolean;
}

export interface Reconstructed {
  readonly original: Rows;
  readonly reconstruction: Rows;
  /** Findings about the data, in plain words: what could not be read. */
  readonly notes: readonly string[];
}

const BATCH = 500;

export async function reconstruct(
  model: Model,
  path: string,
  { split = 'all', count, seed = 0, mean = true }: ReconstructOptions = {},
): Promise<Reconstructed> {
  checkCount(count);
  const { data, splits } = await openRows(model, path, split);
  const fields = modelFields(model.schema);
  const original: Rows[] = [];
  const reconstruction: Rows[] = [];
  let at = 0;
  try {
    for await (const batch of batchesOf(data, splits, BATCH, count)) {
      const q = await encodeBatch(model, batch, seed);
      original.push(takeRows(fields, batch.rows, batch.index));
      reconstruction.push(
        await draw(model, mean ? q.mean : q.z, { seed, at, mean, clip: true, given: q.conditions }),
      );
      at += batch.index.length;
    }
  } finally {
    await data.close();
  }
  if (at === 0) throw new UserError(`${path}: no rows to reconstruct`);
  return {
    original: concatRows(fields, original),
    reconstruction: concatRows(fields, reconstruction),
    notes: data.notes,
  };
}
