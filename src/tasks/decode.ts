/** `decode`: rows or pictures from latent values. */
import { concatRows, modelFields, type Rows } from '../data/index.ts';
import { UserError } from '../errors.ts';
import { stream } from '../random/index.ts';
import { noiseLaws } from '../vae/index.ts';
import type { Model } from './model.ts';

export interface DecodeOptions {
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
  { seed = 0, mean = true, clip = true }: DecodeOptions = {},
): Promise<Rows> {
  const { latent } = model.vae.spec;
  const count = z.length / latent;
  if (!Number.isInteger(count) || count < 1) {
    throw new UserError(
      `decode: ${z.length} values given, expected a multiple of the model's ${latent} latent dimensions`,
    );
  }
  const parts: Rows[] = [];
  for (let at = 0; at < count; at += BATCH) {
    const some = z.subarray(at * latent, Math.min(count, at + BATCH) * latent);
    parts.push(await draw(model, some, { seed, at, mean, clip }));
  }
  return concatRows(modelFields(model.schema), parts);
}

export interface DrawOptions extends Required<DecodeOptions> {
  /** Number of the first row, which keys its noise. */
  readonly at: number;
}

/** One batch: x ~ p(x|z) or its mean, back in the data's own units. */
export async function draw(
  { vae, codec, session }: Model,
  z: Float32Array,
  { seed, at, mean, clip }: DrawOptions,
): Promise<Rows> {
  const { shape, latent } = vae.spec;
  const n = z.length / latent;
  const noise = drawNoise(vae, n, seed, at);
  const drawing = await session('drawing');
  const name = mean ? 'mean' : 'sample';
  const feeds = { z: { data: z, dims: [n, latent] }, 'noise.x': { data: noise, dims: [n, ...shape] } };
  const results = await drawing.run(feeds, [name]);
  return codec.decode(results[name]!.data as Float32Array, n, { clip });
}

/** Noise for x, [n, …shape]: each part's features by its own law. */
function drawNoise(vae: Model['vae'], n: number, seed: number, at: number): Float32Array {
  const { shape, parts } = vae.spec;
  const width = shape.at(-1)!;
  const places = shape.slice(0, -1).reduce((a, b) => a * b, 1) * n;
  const noise = new Float32Array(places * width);
  const laws = noiseLaws(vae);
  parts.forEach(({ start, size }, i) => {
    const own = new Float32Array(places * size);
    stream(seed, `draw ${i}`, at)[laws[i]!](own);
    for (let p = 0; p < places; p++) noise.set(own.subarray(p * size, (p + 1) * size), p * width + start);
  });
  return noise;
}
