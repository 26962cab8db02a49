/** `encode`: the latent values of each row. */
import type { Batch, Labels } from '../data/index.ts';
import { UserError } from '../errors.ts';
import { stream } from '../random/index.ts';
import type { Value } from '../runtime/index.ts';
import { createBuffers, wanted } from '../train/index.ts';
import type { Model } from './model.ts';
import { batchesOf, countRows, openFor, type RowOptions, splitsFor } from './rows.ts';

export interface EncodeOptions extends RowOptions {
  readonly seed?: number;
}

export interface Encoded {
  readonly count: number;
  readonly latent: number;
  /** Number of each row in the data, from 0. */
  readonly ids: Float64Array;
  readonly mean: Float32Array; // [count, latent]
  /** Absent for a plain autoencoder. */
  readonly logVar?: Float32Array; // [count, latent]
  /** One draw from q(z|x). */
  readonly z: Float32Array; // [count, latent]
  readonly labels?: Labels;
}

const BATCH = 500;

export async function encode(
  model: Model,
  path: string,
  { split = 'all', count, seed = 0 }: EncodeOptions = {},
): Promise<Encoded> {
  const data = await openFor(model, path);
  try {
    const splits = splitsFor(model, data, split);
    const rows = Math.min(count ?? Number.POSITIVE_INFINITY, countRows(data, splits));
    if (rows === 0) throw new UserError(`${path}: no rows to encode`);
    const parts: EncodedBatch[] = [];
    for await (const batch of batchesOf(data, splits, BATCH, rows))
      parts.push(await encodeBatch(model, batch, seed));
    return { ...join(parts, model.vae.spec.latent), ...(data.labels && { labels: data.labels }) };
  } finally {
    await data.close();
  }
}

type EncodedBatch = Pick<Encoded, 'ids' | 'mean' | 'logVar' | 'z'>;

/** q(z|x) of one batch. Grey pixels stay grey, repeated values take the middle of their interval. */
export async function encodeBatch(
  { vae, codec, session }: Model,
  batch: Batch,
  seed: number,
): Promise<EncodedBatch> {
  const n = batch.index.length;
  const encoder = await session('encoder');
  const { x, mask, draw, values } = createBuffers(vae.spec, encoder.noises, n);
  codec.encode(batch, codec.masked ? { x, mask } : { x });
  draw(n, (name) => stream(seed, `encode ${name}`, batch.ids[0]!));
  const out = await encoder.run(wanted(encoder, values(n)));
  const array = (value: Value) => (value.data as Float32Array).slice();
  return {
    ids: Float64Array.from(batch.ids),
    mean: array(out['mean']!),
    z: array(out['z']!),
    ...(out['logVar'] && { logVar: array(out['logVar']) }),
  };
}

function join(parts: readonly EncodedBatch[], latent: number): Omit<Encoded, 'labels'> {
  const concat = (arrays: readonly Float32Array[]) => {
    const out = new Float32Array(arrays.reduce((n, a) => n + a.length, 0));
    let at = 0;
    for (const a of arrays) {
      out.set(a, at);
      at += a.length;
    }
    return out;
  };
  const logVars = parts.flatMap((p) => (p.logVar ? [p.logVar] : []));
  const ids = Float64Array.from(parts.flatMap((p) => [...p.ids]));
  return {
    count: ids.length,
    latent,
    ids,
    mean: concat(parts.map((p) => p.mean)),
    z: concat(parts.map((p) => p.z)),
    ...(logVars.length > 0 && { logVar: concat(logVars) }),
  };
}
