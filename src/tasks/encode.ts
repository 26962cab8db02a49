/** `encode`: the latent values of each row. */
import { type Batch, concatRows, conditionFields, type Labels, type Rows } from '../data/index.ts';
import { UserError } from '../errors.ts';
import { stream } from '../random/index.ts';
import type { Value } from '../runtime/index.ts';
import { createBuffers, wanted } from '../train/index.ts';
import { conditionsIn, withLabels } from './conditions.ts';
import { encodeInto } from './encoding.ts';
import type { Model } from './model.ts';
import { batchesOf, checkCount, countRows, openRows, type RowOptions } from './rows.ts';
import { labelPart } from './spec.ts';

export interface EncodeOptions extends RowOptions {
  readonly seed?: number;
}

export interface Encoded {
  readonly count: number;
  readonly latent: number;
  /** Number of each row in the data, from 0. */
  readonly ids: Float64Array;
  readonly mean: Float32Array; // [count, latent]
  /** Absent where q(z|x) is no Gaussian with a diagonal covariance. */
  readonly logVar?: Float32Array; // [count, latent]
  /** One draw from q(z|x). */
  readonly z: Float32Array; // [count, latent]
  readonly labels?: Labels;
  /** What each row is given, where the model is, labels that it lacks predicted: `decode` wants it again. */
  readonly conditions?: Rows;
  /** Of a label that the model predicts. */
  readonly prediction?: Prediction;
  /** Findings about the data, in plain words: what could not be read. */
  readonly notes: readonly string[];
}

/** The likeliest class of each row, whatever its label says, and its q(y|x). */
export interface Prediction {
  readonly field: string;
  readonly codes: Int32Array;
  readonly probabilities: Float32Array;
}

const BATCH = 500;

export async function encode(
  model: Model,
  path: string,
  { split = 'all', count, seed = 0 }: EncodeOptions = {},
): Promise<Encoded> {
  checkCount(count);
  const { data, splits } = await openRows(model, path, split);
  try {
    const rows = Math.min(count ?? Number.POSITIVE_INFINITY, countRows(data, splits));
    if (rows === 0) throw new UserError(`${path}: no rows to encode`);
    const parts: EncodedBatch[] = [];
    for await (const batch of batchesOf(data, splits, BATCH, rows))
      parts.push(await encodeBatch(model, batch, seed));
    return { ...join(parts, model), ...(data.labels && { labels: data.labels }), notes: data.notes };
  } finally {
    await data.close();
  }
}

type EncodedBatch = Pick<Encoded, 'ids' | 'mean' | 'logVar' | 'z' | 'conditions' | 'prediction'>;

/** q(z|x) of one batch. Grey pixels stay grey, repeated values take the middle of their interval. */
export async function encodeBatch(model: Model, batch: Batch, seed: number): Promise<EncodedBatch> {
  const { vae, codec, session } = model;
  const n = batch.index.length;
  const encoder = await session('encoder');
  const buffers = createBuffers(vae.spec, encoder.noises, n);
  encodeInto(codec, batch, buffers);
  buffers.draw(n, (name) => stream(seed, `encode ${name}`, batch.ids[0]!));
  const out = await encoder.run(wanted(encoder, buffers.values(n)));
  const prediction = out['classes'] && predict(model, out['classes'].data as Float32Array, n);
  const given = conditionsIn(model, batch.rows, batch.index);
  const conditions = given && prediction ? withLabels(model.schema, given, () => prediction.codes) : given;
  const array = (value: Value) => (value.data as Float32Array).slice();
  return {
    ids: Float64Array.from(batch.ids),
    mean: array(out['mean']!),
    z: array(out['z']!),
    ...(out['logVar'] && { logVar: array(out['logVar']) }),
    ...(conditions && { conditions }),
    ...(prediction && { prediction }),
  };
}

/** From q(y|x) [n, Y]. */
function predict({ codec }: Model, classes: Float32Array, n: number): Prediction {
  const { field, size } = labelPart(codec)!;
  const [codes, probabilities] = [new Int32Array(n), new Float32Array(n)];
  for (let i = 0; i < n; i++) {
    const own = classes.subarray(i * size, (i + 1) * size);
    probabilities[i] = Math.max(...own);
    codes[i] = own.indexOf(probabilities[i]!);
  }
  return { field, codes, probabilities };
}

function join(parts: readonly EncodedBatch[], { vae, schema }: Model): Omit<Encoded, 'labels' | 'notes'> {
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
  const predictions = parts.flatMap((p) => (p.prediction ? [p.prediction] : []));
  const ids = Float64Array.from(parts.flatMap((p) => [...p.ids]));
  return {
    count: ids.length,
    latent: vae.spec.latent,
    ids,
    mean: concat(parts.map((p) => p.mean)),
    z: concat(parts.map((p) => p.z)),
    ...(logVars.length > 0 && { logVar: concat(logVars) }),
    ...(conditions.length > 0 && { conditions: concatRows(conditionFields(schema), conditions) }),
    ...(predictions.length > 0 && {
      prediction: {
        field: predictions[0]!.field,
        codes: Int32Array.from(predictions.flatMap(({ codes }) => [...codes])),
        probabilities: concat(predictions.map(({ probabilities }) => probabilities)),
      },
    }),
  };
}
