/** `encode`: the latent values of each row. */
import { type Batch, concatRows, conditionFields, type Labels, type Rows } from '../data/index.ts';
import { UserError } from '../errors.ts';
import { stream } from '../random/index.ts';
import type { Value } from '../runtime/index.ts';
import { createBuffers, wanted } from '../train/index.ts';
import { conditionsIn } from './conditions.ts';
import type { Model } from './model.ts';
import { batchesOf, countRows, openFor, type RowOptions, splitsFor } from './rows.ts';
import { encodeInto } from './source.ts';

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
  /** What each row is given, where the model is: `decode` wants it again. */
  readonly conditions?: Rows;
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
    return { ...join(parts, model), ...(data.labels && { labels: data.labels }) };
  } finally {
    await data.close();
  }
}

type EncodedBatch = Pick<Encoded, 'ids' | 'mean' | 'logVar' | 'z' | 'conditions'>;

/** q(z|x) of one batch. Grey pixels stay grey, repeated values take the middle of their interval. */
export async function encodeBatch(model: Model, batch: Batch, seed: number): Promise<EncodedBatch> {
  const { vae, codec, session } = model;
  const n = batch.index.length;
  const encoder = await session('encoder');
  const buffers = createBuffers(vae.spec, encoder.noises, n);
  encodeInto(codec, batch, buffers);
  buffers.draw(n, (name) => stream(seed, `encode ${name}`, batch.ids[0]!));
  const out = await encoder.run(wanted(encoder, buffers.values(n)));
  const conditions = conditionsIn(model, batch.rows, batch.index);
  const array = (value: Value) => (value.data as Float32Array).slice();
  return {
    ids: Float64Array.from(batch.ids),
    mean: array(out['mean']!),
    z: array(out['z']!),
    ...(out['logVar'] && { logVar: array(out['logVar']) }),
    ...(conditions && { conditions }),
  };
}

function join(parts: readonly EncodedBatch[], { vae, schema }: Model): Omit<Encoded, 'labels'> {
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
  const conditions = parts.flatMap((p) => (p.conditions ? [p.conditions] : []));
  const ids = Float64Array.from(parts.flatMap((p) => [...p.ids]));
  return {
    count: ids.length,
    latent: vae.spec.latent,
    ids,
    mean: concat(parts.map((p) => p.mean)),
    z: concat(parts.map((p) => p.z)),
    ...(logVars.length > 0 && { logVar: concat(logVars) }),
    ...(conditions.length > 0 && { conditions: concatRows(conditionFields(schema), conditions) }),
  };
}
