/** The ELBO and its terms over all rows, log p(x) by importance sampling over some, and bits where x is discrete. */
import { modelFields } from '../../data/index.ts';
import {
  type Estimate,
  importanceWeights,
  type Moments,
  meanOf,
  moments,
  shareOf,
  through,
} from '../../metrics/index.ts';
import { stream } from '../../random/index.ts';
import type { Value } from '../../runtime/index.ts';
import { type BatchSource, createBuffers, type ElboResult, evaluateElbo, wanted } from '../../train/index.ts';
import { isPoint } from '../../vae/index.ts';
import { IMPORTANCE_SAMPLES, type Model } from '../model.ts';
import { fixedSource } from '../source.ts';
import { type FigureName, type Findings, leftOut } from './figures.ts';
import { rowsInWords, type Subject, type Tell } from './subject.ts';

/** Rows at once. */
export const BATCH = 100;
const NO_DENSITY = 'the code of a row is a point, which has no density: there is no bound on log p(x)';

export interface ElboFindings extends Findings {
  readonly figures: Findings['figures'] & { readonly negativeElbo: Estimate };
  readonly result: ElboResult;
  /** Of each dimension of the KL. */
  readonly klByDimension: readonly Estimate[];
}

/** One sample of z for each row. */
export async function elboFindings(
  model: Model,
  source: BatchSource,
  seed: number,
  tell: Tell,
): Promise<ElboFindings> {
  const [negativeElbo, logPx, kl] = [moments(), moments(), moments()];
  const dimensions: Moments[] = [];
  let [rows, known, right] = [0, 0, 0];
  const each = (results: Readonly<Record<string, Value>>, count: number) => {
    const [px, byDimension, ofLabel, isKnown, isRight] = ['logPx', 'kl', 'klLabel', 'known', 'right'].map(
      (name) => results[name]?.data as Float32Array | undefined,
    );
    const width = byDimension!.length / count;
    for (let i = 0; i < count; i++) {
      let sum = ofLabel?.[i] ?? 0;
      for (let j = 0; j < width; j++) {
        const v = byDimension![i * width + j]!;
        sum += v;
        (dimensions[j] ??= moments()).add(v);
      }
      logPx.add(px![i]!);
      kl.add(sum);
      negativeElbo.add(sum - px![i]!);
      known += isKnown?.[i] ?? 0;
      right += isRight?.[i] ?? 0;
    }
    tell({ stage: 'ELBO', done: (rows += count), total: source.rows });
  };
  const session = await model.session('evaluation');
  const result = await evaluateElbo(session, model.vae, {}, source, { batchSize: BATCH, seed, each });
  const bound = { ...meanOf(negativeElbo), value: result.negativeElbo };
  const bits = bitsReason(model);
  return {
    result,
    klByDimension: dimensions.map(meanOf),
    ...(model.vae.label && { protocols: { label: labelProtocol(known, rows) } }),
    figures: {
      ...(known > 0 && { accuracy: shareOf(right, known) }),
      negativeElbo: bound,
      reconstructionTerm: through(meanOf(logPx), (v) => -v),
      kl: meanOf(kl),
      ...(bits === undefined && { bitsPerDimensionElbo: through(bound, perDimension(model)) }),
    },
    absent: {
      ...(bits !== undefined && { bitsPerDimensionElbo: bits }),
      ...(model.vae.label && known === 0 && { accuracy: 'none of these rows has a label' }),
    },
  };
}

const labelProtocol = (known: number, rows: number): string =>
  `${known.toLocaleString('en')} of ${rows.toLocaleString('en')} rows have a label, q(y|x) does not see it; the ELBO is of log p(x, y) ` +
  'where it is known and of log p(x) where it is not';

const BY_IMPORTANCE: readonly FigureName[] = [
  'logLikelihood',
  'inferenceGap',
  'effectiveSamples',
  'bitsPerDimension',
];

export interface ImportanceOptions {
  readonly samples: number;
  readonly seed: number;
  /** −ELBO of all rows. */
  readonly negativeElbo: Estimate;
}

/**
 * log (1/K) Σₖ p(x, zₖ)/q(zₖ|x) of each row (Burda et al. 2016, eq. 8). Where the rows are some of all, their gain over the ELBO
 * is added to the ELBO of all (the difference estimator of survey sampling, Särndal et al. 1992): it varies far less from
 * row to row than log p(x) does.
 */
export async function importanceFindings(
  model: Model,
  subject: Subject,
  { samples, seed, negativeElbo }: ImportanceOptions,
  tell: Tell,
): Promise<Findings> {
  const reason = importanceReason(model, samples);
  if (reason !== undefined) return leftOut(BY_IMPORTANCE, reason);
  const [bound, gap, effective] = [moments(), moments(), moments()];
  const session = await model.session('importance');
  const buffers = createBuffers(model.vae.spec, session.noises, BATCH);
  const all = fixedSource(subject.data, model.codec, BATCH, seed, 'test');
  const rounds = Math.ceil(samples / IMPORTANCE_SAMPLES);
  let [batch, rows] = [0, 0];
  for await (const { count, fill } of all.batches(0, 0)) {
    const [weights, bounds] = [importanceWeights(count), importanceWeights(count)];
    fill(buffers, 0);
    for (let round = 0; round < rounds; round++) {
      buffers.draw(count, (name) => stream(seed, `importance ${name}`, batch, round));
      const { logWeight, elbo = logWeight } = await session.run(wanted(session, buffers.values(count)));
      const taken = Math.min(IMPORTANCE_SAMPLES, samples - round * IMPORTANCE_SAMPLES);
      weights.add(logWeight!.data as Float32Array, taken);
      bounds.add(elbo!.data as Float32Array, taken);
      const done = samples * rows + count * Math.min(samples, (round + 1) * IMPORTANCE_SAMPLES);
      tell({ stage: 'log p(x)', done, total: samples * subject.count });
    }
    const [logMean, meanLog, carry] = [weights.logMean(), bounds.meanLog(), weights.effective()];
    logMean.forEach((v, i) => {
      bound.add(v);
      gap.add(v - meanLog[i]!);
      effective.add(carry[i]!);
    });
    batch++;
    rows += count;
  }
  const whole =
    subject.count < subject.of
      ? sumOf(
          through(negativeElbo, (v) => -v),
          meanOf(gap),
        )
      : meanOf(bound);
  return inWords(model, subject, samples, { whole, gap: meanOf(gap), effective: meanOf(effective) });
}

/** Of estimates that hardly depend on each other. */
const sumOf = (a: Estimate, b: Estimate): Estimate => {
  const half = Math.hypot(a.high - a.value, b.high - b.value);
  return { value: a.value + b.value, low: a.value + b.value - half, high: a.value + b.value + half };
};

function inWords(
  model: Model,
  subject: Subject,
  samples: number,
  { whole, gap, effective }: Readonly<Record<'whole' | 'gap' | 'effective', Estimate>>,
): Findings {
  const draws = `${samples.toLocaleString('en')} samples of q(z|x) for each of ${rowsInWords(subject)}`;
  const some = `the ELBO of all ${subject.of.toLocaleString('en')} rows, and the gain over it by`;
  const protocol =
    `${subject.count < subject.of ? `${some} ` : ''}${draws} (Burda et al. 2016, eq. 8); ` +
    'it grows towards log p(x) with the samples';
  const bits = bitsReason(model);
  return {
    figures: {
      logLikelihood: { ...whole, protocol },
      inferenceGap: { ...gap, protocol: draws },
      effectiveSamples: {
        ...effective,
        beside: { value: samples, what: 'of' },
        protocol: '(Σ w)² / Σ w² of the importance weights of a row (Kong 1992)',
      },
      ...(bits === undefined && {
        bitsPerDimension: { ...through(whole, (v) => perDimension(model)(-v)), protocol },
      }),
    },
    absent: bits === undefined ? {} : { bitsPerDimension: bits },
    protocols: { likelihood: `log p(x): ${protocol}` },
  };
}

function importanceReason({ vae }: Model, samples: number): string | undefined {
  const { posterior } = vae.spec;
  if (isPoint(posterior)) return NO_DENSITY;
  if (!posterior.random)
    return 'a row has one code and no others are drawn: the bound is all that is known of log p(x)';
  return samples === 0 ? '--samples 0' : undefined;
}

/** Why log p(x) is not the length of a code; undefined where it is. */
function bitsReason({ vae, schema, codec }: Model): string | undefined {
  const { posterior, parts } = vae.spec;
  if (isPoint(posterior)) return NO_DENSITY;
  const density = parts.find(({ law }) => !law.discrete);
  const fields = modelFields(schema);
  const field = fields.find(({ name }) => name === density?.field);
  if (density && field?.type === 'image')
    return 'pixels are modelled as real numbers: a density, whose size depends on their scale, and no code length';
  if (density)
    return `"${density.field}" is modelled as a real number on a scale of its own (standardised or normal scores, repeated values spread out): a density, and no code length`;
  const grey = fields.some((f) => f.type === 'image' && f.binarize === 'none');
  if (grey && parts.some(({ law }) => law.support === 'binary'))
    return 'grey pixels in a law of black and white: no probability of anything';
  if (codec.masked) return 'rows with gaps have fewer dimensions than others';
  return undefined;
}

/** Nats of −log p to bits a pixel and channel, or a field of a table. */
function perDimension({ codec: { shape, parts } }: Model): (nats: number) => number {
  const dimensions = shape.length === 3 ? shape.reduce((a, b) => a * b, 1) : parts.length;
  return (nats) => nats / (dimensions * Math.LN2);
}
