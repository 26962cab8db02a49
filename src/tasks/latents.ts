/** What the encoder makes of a dataset, as rows that samplers are fitted to: draws of z, or the symbols of its codes. */
import type { Dataset, Split } from '../data/index.ts';
import { stream } from '../random/index.ts';
import type { Values } from '../runtime/index.ts';
import type { LatentRows, RowForm } from '../samplers/index.ts';
import { createBuffers, wanted } from '../train/index.ts';
import { entriesOf, hasLevels, symbolsOf, type Vae } from '../vae/index.ts';
import { encodeInto } from './encoding.ts';
import type { Model } from './model.ts';
import { drawnBatches } from './rows.ts';

const BATCH = 200;

/** What a row of the model's latent values is, and what goes with it. */
export const rowForm = ({ vae }: Pick<Model, 'vae'>): RowForm => ({
  ...(vae.codes
    ? { width: symbolsOf(vae.codes), entries: entriesOf(vae.codes) }
    : { width: vae.spec.latent }),
  ...(vae.spec.condition && { given: vae.spec.condition }),
  ...(isGaussian(vae) && { gaussian: true }),
});

/** Of several levels, z is not drawn from what the encoder tells: that is where other levels are at their means. */
const isGaussian = ({ spec }: Vae): boolean => spec.posterior.diagonal === true && !hasLevels(spec.network);

/** One row for each of `count` rows of the splits, drawn by the seed, as what is random about the data is, once. */
export async function latentRows(
  model: Model,
  data: Dataset,
  splits: readonly Split[],
  { count, seed }: { readonly count: number; readonly seed: number },
): Promise<LatentRows> {
  const { vae, codec } = model;
  const session = await model.session(vae.codes ? 'symbols' : 'encoder');
  const form = rowForm(model);
  const buffers = createBuffers(vae.spec, session.noises, BATCH);
  const parts: LatentRows[] = [];
  for await (const batch of drawnBatches(data, splits, { count, seed, batchSize: BATCH })) {
    const rows = batch.index.length;
    encodeInto(codec, batch, buffers, { kind: 'row', seed });
    buffers.draw(rows, (name) => stream(seed, `refit ${name}`, parts.length));
    const out = await session.run(wanted(session, buffers.values(rows)));
    if (out['classes']) fillLabels(vae, buffers.condition, out['classes'].data as Float32Array);
    parts.push(numbersOf(out, buffers.condition, form, rows));
  }
  return joined(parts);
}

/** What an encoder gave of `count` rows. */
function numbersOf(out: Values, condition: Float32Array, form: RowForm, count: number): LatentRows {
  const first = (name: string) => (out[name]!.data as Float32Array).slice(0, count * form.width);
  return {
    rows: first(form.entries === undefined ? 'z' : 'symbols'),
    ...(form.given && { given: condition.slice(0, count * form.given) }),
    ...(form.gaussian && { mean: first('mean'), logVar: first('logVar') }),
  };
}

/** A label that a row lacks becomes the class with which the row was encoded: from q(y|x) [n, Y] into the condition [n, C]. */
function fillLabels({ spec, label }: Vae, condition: Float32Array, classes: Float32Array): void {
  const { start, size } = label!.spec;
  for (let row = 0; row < classes.length / size; row++) {
    const own = condition.subarray(row * spec.condition! + start, row * spec.condition! + start + size + 1);
    if (own[size] === 1) continue; // it is known
    const each = classes.subarray(row * size, (row + 1) * size);
    own[each.indexOf(Math.max(...each))] = 1;
    own[size] = 1;
  }
}

/** Each part of the rows, one array after another. */
const joined = (parts: readonly LatentRows[]): LatentRows =>
  eachArray(parts[0] ?? { rows: new Float32Array() }, (_, name) => concat(parts.map((part) => part[name]!)));

function concat(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** The same change to each array that there is. */
function eachArray(
  all: LatentRows,
  change: (array: Float32Array, name: keyof LatentRows) => Float32Array,
): LatentRows {
  const names = Object.keys(all) as (keyof LatentRows)[];
  return Object.fromEntries(names.map((name) => [name, change(all[name]!, name)])) as unknown as LatentRows;
}

export const countOf = ({ rows }: LatentRows, { width }: RowForm): number => rows.length / width;

/** Rows of the given numbers, and what goes with each. */
export function pickRows(all: LatentRows, form: RowForm, numbers: readonly number[]): LatentRows {
  const count = countOf(all, form);
  return eachArray(all, (array) => {
    const width = array.length / count;
    return concat(numbers.map((row) => array.subarray(row * width, (row + 1) * width)));
  });
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
export async function priorLogProbs(model: Model, { rows, given }: LatentRows): Promise<Float64Array> {
  const { width, given: size = 0 } = rowForm(model);
  const { latent } = model.vae.spec;
  const session = await model.session('priorDensity');
  const out = new Float64Array(rows.length / width);
  for (let at = 0; at < out.length; at += BATCH) {
    const end = Math.min(out.length, at + BATCH);
    const data = await toZ(model, rows.subarray(at * width, end * width));
    const feeds = {
      z: { data, dims: [data.length / latent, latent] },
      ...(given && { condition: { data: given.subarray(at * size, end * size), dims: [end - at, size] } }),
    };
    const { logPz } = await session.run(wanted(session, feeds));
    out.set(logPz!.data as Float32Array, at);
  }
  return out;
}
