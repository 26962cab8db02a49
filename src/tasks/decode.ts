/** `decode`: rows or pictures from latent values. */
import { concatRows, modelFields, type Rows } from '../data/index.ts';
import { UserError } from '../errors.ts';
import { type Stream, stream, variates } from '../random/index.ts';
import type { Value, Values } from '../runtime/index.ts';
import { wanted } from '../train/index.ts';
import { type Vae, valueNames } from '../vae/index.ts';
import { type ConditionOptions, conditionFeed, toldConditions } from './conditions.ts';
import type { Model } from './model.ts';

export interface DecodeOptions extends ConditionOptions {
  readonly seed?: number;
  /** The mean of p(x|z) (default), or a draw. */
  readonly mean?: boolean;
  readonly clip?: boolean;
}

const BATCH = 500;

/** z [n, Z], row-major → n rows. */
export async function decode(
  model: Model,
  z: Float32Array,
  { seed = 0, mean = true, clip = true, ...told }: DecodeOptions = {},
): Promise<Rows> {
  const { latent } = model.vae.spec;
  const count = z.length / latent;
  if (!Number.isInteger(count) || count < 1) {
    throw new UserError(
      `decode: ${z.length} values given, expected a multiple of the model's ${latent} latent dimensions`,
    );
  }
  const conditions = toldConditions(model, told);
  const parts: Rows[] = [];
  for (let at = 0; at < count; at += BATCH) {
    const some = z.subarray(at * latent, Math.min(count, at + BATCH) * latent);
    const given = conditions(at, some.length / latent);
    parts.push(await draw(model, some, { seed, at, mean, clip, given }));
  }
  return concatRows(modelFields(model.schema), parts);
}

export interface DrawOptions extends Required<Omit<DecodeOptions, keyof ConditionOptions>> {
  /** What each row is given, where the model is. */
  readonly given: Rows | undefined;
  /** Number of the first row, which keys its noise. */
  readonly at: number;
}

/** One batch: x ~ p(x|z) or its mean, back in the data's own units. */
export async function draw(
  model: Model,
  z: Float32Array,
  { seed, at, mean, clip, given }: DrawOptions,
): Promise<Rows> {
  const { vae, codec, session } = model;
  const n = z.length / vae.spec.latent;
  const feeds = { z: { data: z, dims: [n, vae.spec.latent] }, ...conditionFeed(model, given) };
  if (mean) {
    const graph = await session('mean');
    const { mean: x } = await graph.run(wanted(graph, feeds));
    return codec.decode(x!.data as Float32Array, n, { clip, given });
  }
  const graph = await session('decoder');
  const values = await graph.run(wanted(graph, feeds));
  return codec.decode(
    drawFeatures(vae, values, n, (part) => stream(seed, `draw ${part}`, at)),
    n,
    { clip, given },
  );
}

/** x [n, …shape] drawn from the values of p(x|z), each part by its own law and from its own stream. */
function drawFeatures(vae: Vae, values: Values, n: number, random: (part: number) => Stream): Float32Array {
  const { shape, parts } = vae.spec;
  const width = shape.at(-1)!;
  const space = shape.slice(0, -1);
  const places = space.reduce((a, b) => a * b, 1);
  const out = new Float32Array(n * places * width);
  const names = valueNames(vae);
  parts.forEach(({ field, law, start, size }, i) => {
    const one = variates(random(i));
    const own = new Float32Array(places * size);
    const given = names[i]!.map((name) => [name, values[`${field}.${name}`]!] as const);
    for (let row = 0; row < n; row++) {
      const ofRow = Object.fromEntries(given.map(([name, value]) => [name, rowOf(value, row)]));
      law.draw(ofRow, one, own, { space, channels: size });
      for (let p = 0; p < places; p++)
        out.set(own.subarray(p * size, (p + 1) * size), (row * places + p) * width + start);
    }
  });
  return out;
}

/** The values of one row, where each row has its own; what is learned has one axis and is that of all. */
function rowOf({ data, dims }: Value, row: number): Float32Array {
  const size = dims.slice(1).reduce((a, b) => a * b, 1);
  const all = data as Float32Array;
  return dims.length > 1 ? all.subarray(row * size, (row + 1) * size) : all;
}
