/** What a model says of the gaps of rows: expectations and draws given what is there. */
import { conditionFields, type Rows, takeRows } from '../../data/index.ts';
import { stream } from '../../random/index.ts';
import { createBuffers, openGraph, wanted } from '../../train/index.ts';
import { imputationGraph } from '../../vae/imputation.ts';
import { conditionsIn } from '../conditions.ts';
import { draw } from '../decode.ts';
import { encodeBatch } from '../encode.ts';
import { encodeInto } from '../encoding.ts';
import type { Model } from '../model.ts';
import { resampled, weighted } from './weighted.ts';

export interface GuessSetting {
  /** Of z for each row. */
  readonly samples: number;
  /** Of x for each row; 0 = none. */
  readonly draws: number;
  readonly seed: number;
  readonly clip: boolean;
}

/** Of a batch of rows; what it says where a value is there is of no use. */
export interface Guess {
  /** Σₖ wₖ E[x|zₖ] with wₖ ∝ p(x_obs|zₖ) p(zₖ) / q(zₖ|x_obs) (Mattei & Frellsen 2019, section 3), in the data's own units. */
  readonly expected: Rows;
  /** The same of one feature in model space: of a word its probability. */
  readonly probability: (row: number, feature: number) => number;
  /** Rows drawn from p(x|x_obs), each set independent of the others. */
  readonly draws: readonly Rows[];
  /** See `Weighted`. */
  readonly effective: Float64Array;
}

export interface Guesses {
  readonly batchSize: number;
  /** `at`: how many rows came before, which keys the noise. */
  readonly of: (rows: Rows, index: Int32Array, at: number) => Promise<Guess>;
  readonly dispose: () => Promise<void>;
}

const AT_ONCE = 10; // samples that one run of the graph takes for each row
const MOST_ROWS = 100;
const MOST_HELD = 4e6; // numbers of z that are kept to draw from

export async function openGuesses(model: Model, setting: GuessSetting): Promise<Guesses> {
  const { vae, codec, runtime, weights } = model;
  const { samples, draws, seed, clip } = setting;
  const { latent, shape } = vae.spec;
  const features = shape[0]!;
  const atOnce = Math.min(AT_ONCE, samples);
  const batchSize = Math.max(1, Math.min(MOST_ROWS, Math.floor(MOST_HELD / (samples * latent))));
  const session = await openGraph(runtime, imputationGraph(vae, atOnce), { weights });
  const buffers = createBuffers(vae.spec, session.noises, batchSize);

  /** All samples of a batch weighed; z and their weights are kept where there will be draws. */
  async function weigh(count: number, at: number) {
    const mean = weighted(count, features);
    const kept = new Float32Array(draws > 0 ? samples * count : 0);
    const z = new Float32Array(kept.length * latent);
    for (let done = 0; done < samples; done += atOnce) {
      buffers.draw(count, (name) => stream(seed, `impute ${name}`, at, done));
      const out = await session.run(wanted(session, buffers.values(count)));
      const taken = Math.min(atOnce, samples - done);
      const of = (name: string) => out[name]!.data as Float32Array;
      mean.add(of('logWeight'), of('mean'), taken);
      if (draws === 0) continue;
      kept.set(of('logWeight').subarray(0, taken * count), done * count);
      z.set(of('z').subarray(0, taken * count * latent), done * count * latent);
    }
    return { mean: mean.mean(), effective: mean.effective(), kept, z };
  }

  async function drawn(kept: Float32Array, z: Float32Array, at: number, given: Rows | undefined) {
    if (draws === 0) return [];
    const count = kept.length / samples;
    const picked = resampled(kept, z, { rows: count, draws }, stream(seed, 'impute pick', at));
    const again = Int32Array.from({ length: draws * count }, (_, i) => i % count);
    const all = await draw(model, picked, {
      seed,
      at,
      mean: false,
      clip,
      given: given && takeRows(conditionFields(model.schema), given, again),
    });
    return Array.from({ length: draws }, (_, d) => part(all, d * count, count));
  }

  return {
    batchSize,
    of: async (rows, index, at) => {
      encodeInto(codec, { rows, index, ids: index }, buffers);
      const given = await conditionsFor(model, rows, index, seed);
      if (given) codec.encodeConditions(given, buffers.condition);
      const { mean, effective, kept, z } = await weigh(index.length, at);
      return {
        expected: codec.decode(mean, index.length, { clip, given }),
        probability: (row, feature) => mean[row * features + feature]!,
        draws: await drawn(kept, z, at, given),
        effective,
      };
    },
    dispose: () => session.dispose(),
  };
}

/** What is given, the likeliest label where one is predicted and a row has none. */
const conditionsFor = async (model: Model, rows: Rows, index: Int32Array, seed: number) =>
  model.vae.label
    ? (await encodeBatch(model, { rows, index, ids: index }, seed)).conditions
    : conditionsIn(model, rows, index);

/** Rows of tables, where every column has one number a row. */
const part = ({ columns }: Rows, from: number, count: number): Rows => ({
  count,
  columns: columns.map((column) => column.subarray(from, from + count)),
});
