/** What the encoder makes of a dataset, as rows that samplers are fitted to: draws of z, or the symbols of its codes. */
import type { Dataset, Split } from '../data/index.ts';
import { stream } from '../random/index.ts';
import type { RowForm } from '../samplers/index.ts';
import { createBuffers, wanted } from '../train/index.ts';
import { entriesOf, symbolsOf } from '../vae/index.ts';
import type { Model } from './model.ts';
import { fixedSource } from './source.ts';

const BATCH = 200;

export const rowForm = ({ vae }: Model): RowForm =>
  vae.codes ? { width: symbolsOf(vae.codes), entries: entriesOf(vae.codes) } : { width: vae.spec.latent };

/** One row for each of the first `count` rows of the splits [n, width]; what is random about the data is drawn once, by the seed. */
export async function latentRows(
  model: Model,
  data: Dataset,
  splits: readonly Split[],
  { count, seed }: { readonly count: number; readonly seed: number },
): Promise<Float32Array> {
  const { vae, codec } = model;
  const session = await model.session(vae.codes ? 'symbols' : 'encoder');
  const { width } = rowForm(model);
  const buffers = createBuffers(vae.spec, session.noises, BATCH);
  const parts: Float32Array[] = [];
  let left = count;
  for (const split of splits) {
    if (left <= 0) break;
    for await (const batch of fixedSource(data, codec, BATCH, seed, split).batches(0, 0)) {
      batch.fill(buffers, 0);
      buffers.draw(batch.count, (name) => stream(seed, `refit ${name}`, parts.length));
      const out = await session.run(wanted(session, buffers.values(batch.count)));
      const rows = (vae.codes ? out['symbols'] : out['z'])!.data as Float32Array;
      parts.push(rows.slice(0, Math.min(left, batch.count) * width));
      left -= batch.count;
      if (left <= 0) break;
    }
  }
  return joined(parts);
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Rows of symbols as the z that they stand for; rows of z as they are. */
export async function toZ(model: Model, rows: Float32Array): Promise<Float32Array> {
  if (!model.vae.codes) return rows;
  const { width } = rowForm(model);
  const out = await (await model.session('lookUp')).run({
    symbols: { data: rows, dims: [rows.length / width, width] },
  });
  return out['z']!.data as Float32Array;
}

/** log p(z) of rows under the prior that the model was trained with. */
export async function priorLogProbs(model: Model, rows: Float32Array): Promise<Float64Array> {
  const { width } = rowForm(model);
  const { latent } = model.vae.spec;
  const session = await model.session('priorDensity');
  const out = new Float64Array(rows.length / width);
  for (let at = 0; at < out.length; at += BATCH) {
    const data = await toZ(model, rows.subarray(at * width, Math.min(out.length, at + BATCH) * width));
    const { logPz } = await session.run({ z: { data, dims: [data.length / latent, latent] } });
    out.set(logPz!.data as Float32Array, at);
  }
  return out;
}
