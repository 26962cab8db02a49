/** How much samples are like held-out rows: two sets of points in one feature space, named. */
import {
  type Dataset,
  type ModelField,
  modelFields,
  type Rows,
  type Split,
  takeRows,
} from '../../data/index.ts';
import {
  cubic,
  discrepancy,
  type Estimate,
  frechetDistance,
  jackknife,
  type Overlap,
  overlap,
  type Points,
} from '../../metrics/index.ts';
import { stream } from '../../random/index.ts';
import { compareColumns } from '../compare.ts';
import { conditionsIn } from '../conditions.ts';
import type { Model } from '../model.ts';
import { isTrainingData } from '../rows.ts';
import { sample } from '../sample.ts';
import type { ZSource } from '../samplers.ts';
import { type FeatureSpace, featureSpace, type SpaceName } from './features.ts';
import { type FigureName, type Findings, figuresOf, leftOut, type Measured } from './figures.ts';
import { sourceInWords } from './latent.ts';
import { drawSubject, type Tell } from './subject.ts';

/** Fewer rows say little about a distribution. */
const LEAST = 50;

export interface QualityOptions {
  /** Samples, and as many held-out rows. */
  readonly count: number;
  readonly features: SpaceName;
  /** Means of p(x|z) in place of draws. */
  readonly mean: boolean;
  /** What z is drawn from. */
  readonly source: ZSource;
  readonly seed: number;
}

export interface QualityFindings extends Findings {
  /** 1 − the distance of the distributions of each column of a table. */
  readonly similarity: Readonly<Record<string, Measured>>;
}

const none = ({ codec }: Model, reason: string): QualityFindings => ({
  ...leftOut(figuresOf('samples', codec), reason),
  similarity: {},
});

export async function qualityFindings(
  model: Model,
  data: Dataset,
  splits: readonly Split[],
  { count, features, mean, source, seed }: QualityOptions,
  tell: Tell,
): Promise<QualityFindings> {
  if (count === 0) return none(model, '--quality 0');
  const held = await drawSubject(model, data, splits, { most: count, seed });
  if (held.count < LEAST)
    return none(model, `there are ${held.count} held-out rows, and ${LEAST} are needed`);
  const n = held.count;
  const step = (done: number) => tell({ stage: 'sample quality', done, total: 4 });
  step(0);
  const given = conditionsIn(
    model,
    held.rows,
    Int32Array.from({ length: n }, (_, i) => i),
  ); // what these rows are given
  const drawn = await sample(model, {
    count: n,
    seed,
    mean,
    sampler: source.name,
    ...(given && { conditions: given }),
  });
  const made = withGaps(model, drawn, held.rows);
  step(1);
  const space = await featureSpace(model, held, features);
  const real = await space.ofData(held);
  const judged = judge(real, await space.ofSamples(made));
  step(2);
  const training = await trainingRows(model, data, splits, n, seed);
  const best = training && judge(real, await space.ofData(training));
  step(3);
  const columns = similarities(model, held.rows, made, training?.rows, seed);
  step(4);
  return {
    figures: { ...beside(judged, best), ...columns.whole },
    absent: {},
    similarity: columns.each,
    protocols: { samples: inWords(space, n, { mean, source }, best !== undefined) },
  };
}

const inWords = (
  space: FeatureSpace,
  n: number,
  { mean, source }: Pick<QualityOptions, 'mean' | 'source'>,
  hasTraining: boolean,
): string =>
  `${n.toLocaleString('en')} ${mean ? 'means of p(x|z)' : 'draws'}, z from ${sourceInWords(source)}, against ${n.toLocaleString('en')} held-out rows, in ${space.words}` +
  (hasTraining ? '; beside them training rows in place of samples, the best that could be expected' : '');

type Judgement = Readonly<Record<keyof Overlap | 'kernelDistance' | 'frechetDistance', Estimate>>;

const judge = (real: Points, made: Points): Judgement => ({
  ...overlap(real, made),
  kernelDistance: discrepancy(real, made, cubic),
  frechetDistance: frechetDistance(real, made),
});

const PROTOCOLS: Readonly<Record<keyof Judgement, string>> = {
  precision: 'within the third neighbour (Kynkäänniemi et al. 2019)',
  recall: 'within the third neighbour (Kynkäänniemi et al. 2019)',
  density: 'within the fifth neighbour (Naeem et al. 2020)',
  coverage: 'within the fifth neighbour (Naeem et al. 2020)',
  kernelDistance:
    '(xᵀy/d + 1)³, unbiased, with the variance of a U-statistic (Bińkowski et al. 2018; Gretton et al. 2012)',
  frechetDistance:
    'of Gaussians with the points’ moments (Dowson & Landau 1982), biased upward where points are few',
};

function beside(judged: Judgement, best: Judgement | undefined): Findings['figures'] {
  const entries = (Object.keys(judged) as (keyof Judgement)[]).map((name): [FigureName, Measured] => {
    const reference = best && { beside: { value: best[name].value, what: 'training rows' } };
    return [name, { ...judged[name], ...reference, protocol: PROTOCOLS[name] }];
  });
  return Object.fromEntries(entries);
}

/** Samples have no gaps; they get those of the held-out rows, so that gaps are not what tells them apart. */
function withGaps({ schema }: Model, made: Rows, held: Rows): Rows {
  const columns = modelFields(schema).map((field, j) => {
    const own = made.columns[j]!;
    if (!field.missing || field.type === 'image') return own;
    const out = own.slice();
    const isGap = (v: number) => (own instanceof Float64Array ? Number.isNaN(v) : v < 0);
    for (let i = 0; i < out.length; i++) if (isGap(held.columns[j]![i]!)) out[i] = held.columns[j]![i]!;
    return out;
  });
  return { count: made.count, columns };
}

/** As many training rows, where the model was trained on this data and other rows are held out. */
async function trainingRows(
  model: Model,
  data: Dataset,
  splits: readonly Split[],
  count: number,
  seed: number,
) {
  if (!isTrainingData(model, data) || splits.includes('train') || data.counts.train < count) return undefined;
  return drawSubject(model, data, ['train'], { most: count, seed });
}

/** The columns of a table by themselves, and their mean. */
function similarities({ schema }: Model, held: Rows, made: Rows, training: Rows | undefined, seed: number) {
  const fields = modelFields(schema);
  if (fields.some(({ type }) => type === 'image')) return { whole: {} as Findings['figures'], each: {} };
  const names = compareColumns(schema, held, made).map(({ name }) => name);
  const compare = (other: Rows, rows: ArrayLike<number>) => {
    const take = (all: Rows) => takeRows(fields as ModelField[], all, rows);
    const found = compareColumns(schema, take(held), take(other)).map(({ similarity }) => similarity);
    const mean = found.reduce((a, b) => a + b, 0) / found.length;
    return Object.fromEntries([...found, mean].map((value, j) => [String(j), value]));
  };
  const order = stream(seed, 'columns').permutation(held.count);
  const found = jackknife(order, (rows) => compare(made, rows));
  const best = training && compare(training, order);
  const measured = (j: number): Measured => ({
    ...found[j]!,
    ...(best && { beside: { value: best[j]!, what: 'training rows' } }),
  });
  const protocol = '1 − Kolmogorov–Smirnov distance of numbers, 1 − total variation distance of categories';
  return {
    whole: { columnSimilarity: { ...measured(names.length), protocol } } as Findings['figures'],
    each: Object.fromEntries(names.map((name, j) => [name, measured(j)])),
  };
}
