/** `evaluate`: the ELBO and its terms on held-back rows, and log p(x) by importance sampling. */
import type { Dataset, Split } from '../data/index.ts';
import { UserError } from '../errors.ts';
import { stream } from '../random/index.ts';
import { activeUnits, type BatchSource, createBuffers, evaluateElbo, wanted } from '../train/index.ts';
import { IMPORTANCE_SAMPLES, type Model } from './model.ts';
import { countRows, isTrainingData, openFor, type SplitName, splitsFor } from './rows.ts';
import { fixedSource } from './source.ts';

export interface EvaluateOptions {
  readonly split?: SplitName;
  /** Importance samples for each row; 0 leaves log p(x) out. */
  readonly samples?: number;
  readonly seed?: number;
}

/** A mean with its 95 % interval over rows. */
export interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

export interface Evaluation {
  readonly rows: number;
  /** Nats an example. */
  readonly negativeElbo: number;
  readonly logPx: number;
  readonly kl: number;
  /** log p(x) in nats an example: a lower bound that grows towards it with the samples. */
  readonly logLikelihood?: Interval & { readonly samples: number };
  readonly klPerDimension: readonly number[];
  readonly activeUnits: number;
  /** E[log p(x|z)] of each field, nats. */
  readonly fields: Readonly<Record<string, number>>;
  /** How the figures were made. */
  readonly protocol: string;
}

const BATCH = 100;

/** Evaluates on the test rows of `path`, or on all of it where it is not the data trained on. */
export async function evaluate(
  model: Model,
  path: string,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const data = await openFor(model, path);
  try {
    return await evaluateData(model, data, options);
  } finally {
    await data.close();
  }
}

export async function evaluateData(
  model: Model,
  data: Dataset,
  options: EvaluateOptions,
): Promise<Evaluation> {
  const { split = 'test', samples = 100, seed = 0 } = options;
  const splits = splitsFor(model, data, split);
  const source = sourceOf(model, data, splits, seed);
  if (source.rows === 0) throw new UserError(`${data.name}: no rows to evaluate`);
  const elbo = await evaluateElbo(await model.session('evaluation'), model.vae, {}, source, {
    batchSize: BATCH,
    seed,
  });
  const { negativeElbo, logPx, kl, klPerDimension, fields, rows } = elbo;
  const { random } = model.vae.spec.posterior;
  return {
    rows,
    negativeElbo,
    logPx,
    kl,
    klPerDimension,
    activeUnits: activeUnits(klPerDimension),
    fields,
    ...(samples > 0 && random && { logLikelihood: await importance(model, source, samples, seed) }),
    protocol: protocol(model, data, splits, rows, seed),
  };
}

function sourceOf({ codec }: Model, data: Dataset, splits: readonly Split[], seed: number): BatchSource {
  return {
    rows: countRows(data, splits),
    batches: async function* () {
      for (const split of splits) yield* fixedSource(data, codec, BATCH, seed, split).batches(0, 0);
    },
  };
}

/** log (1/K) Σₖ p(x, zₖ)/q(zₖ|x) for each row (Burda et al. 2016, eq. 8), averaged. */
async function importance({ vae, session }: Model, source: BatchSource, samples: number, seed: number) {
  const run = await session('importance');
  const buffers = createBuffers(vae.spec, run.noises, BATCH);
  const rounds = Math.ceil(samples / IMPORTANCE_SAMPLES);
  const each: number[] = [];
  let batch = 0;
  for await (const { count, fill } of source.batches(0, 0)) {
    fill(buffers, 0);
    const sums = Array.from({ length: count }, () => ({ max: Number.NEGATIVE_INFINITY, sum: 0 }));
    for (let round = 0; round < rounds; round++) {
      buffers.draw(count, (name) => stream(seed, `importance ${name}`, batch, round));
      const { logWeight } = await run.run(wanted(run, buffers.values(count)));
      accumulate(sums, logWeight!.data as Float32Array, count);
    }
    each.push(...sums.map(({ max, sum }) => max + Math.log(sum / (rounds * IMPORTANCE_SAMPLES))));
    batch++;
  }
  return { ...interval(each), samples: rounds * IMPORTANCE_SAMPLES };
}

/** Adds logWeight [K, count] to the running log-sum-exp of each row. */
function accumulate(sums: { max: number; sum: number }[], logWeight: Float32Array, count: number): void {
  for (let i = 0; i < logWeight.length; i++) {
    const row = sums[i % count]!;
    const w = logWeight[i]!;
    if (w > row.max) {
      row.sum = row.sum * Math.exp(row.max - w) + 1;
      row.max = w;
    } else row.sum += Math.exp(w - row.max);
  }
}

/** Mean ± 1.96 standard errors. */
function interval(values: readonly number[]): Interval {
  const n = values.length;
  const mean = values.reduce((a, b) => a + b, 0) / n;
  const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / Math.max(1, n - 1);
  const half = 1.96 * Math.sqrt(variance / n);
  return { mean, low: mean - half, high: mean + half };
}

function protocol(model: Model, data: Dataset, splits: readonly Split[], rows: number, seed: number): string {
  const which =
    splits.length > 1
      ? isTrainingData(model, data)
        ? 'all'
        : `all (${data.name} is not the data trained on)`
      : splits[0];
  const field = model.schema.fields.find((f) => f.type === 'image');
  const drawn =
    field?.role === 'model' && field.type === 'image' && field.binarize !== 'none'
      ? ', pixels binarised once by the seed'
      : '';
  const quantile = model.schema.fields.some((f) => 'transform' in f && f.transform.kind === 'quantile');
  const scale = quantile ? '; numbers as normal scores, so densities are on that scale' : '';
  return `${rows} ${which} rows, one sample of z each, seed ${seed}${drawn}; nats an example${scale}`;
}
