/** What the latent variables hold: active units, what the KL is made of, and whether the codes fill the prior. */

import type { Dataset } from '../../data/index.ts';
import {
  activeByVariance,
  counting,
  decomposition,
  densities,
  discrepancy,
  type Estimate,
  type Gaussians,
  holes,
  inverseMultiquadric,
  logAggregate,
  meanOf,
  moments,
  pointsOf,
  THIN,
} from '../../metrics/index.ts';
import { stream } from '../../random/index.ts';
import type { Value } from '../../runtime/index.ts';
import { ACTIVE, type ElboResult, evaluateElbo } from '../../train/index.ts';
import { isPoint, klOf, observation, type Vae } from '../../vae/index.ts';
import { conditionFeed, conditionsIn, sampledConditions } from '../conditions.ts';
import { encodeBatch } from '../encode.ts';
import type { Model } from '../model.ts';
import { PRIOR, type ZSource } from '../samplers.ts';
import { fixedSource } from '../source.ts';
import { type FigureName, type Findings, leftOut } from './figures.ts';
import { rowsInWords, type Subject, type Tell } from './subject.ts';

/** By how much the mean of a dimension varies that is in use (Burda et al. 2016). */
const READ = 500;
const VARIES = 0.01;
/** From this share of log N on a mixture of N posteriors has told all it can. */
const FULL = 0.97;
const LEAST = 20; // rows
const MOST_DIMENSIONS = 512; // of z, for a kernel

/** From the KL alone: what is known of all rows. */
export function unitFindings(
  { vae }: Model,
  klByDimension: readonly Estimate[],
  { rows, codes }: ElboResult,
): Findings {
  const protocols = { latent: `active units and KL: ${rows.toLocaleString('en')} rows` };
  if (codes) {
    const figures = {
      usedEntries: beside(codes.used, codes.entries, 'of'),
      perplexity: { value: codes.perplexity },
    };
    const reason = 'codes have no dimensions to be active: see entries in use';
    return { figures, absent: { activeUnits: reason }, protocols };
  }
  if (isPoint(vae.spec.posterior)) return leftOut(['activeUnits'], 'a point has no KL');
  if (klOf(vae) !== 'dimension')
    return leftOut(['activeUnits'], 'the KL of this posterior and prior is not known by dimension');
  const active = counting(klByDimension, ACTIVE);
  return {
    figures: { activeUnits: { ...active, ...besides(klByDimension.length, 'of') } },
    absent: {},
    protocols,
  };
}

const besides = (value: number, what: string) => ({ beside: { value, what } });
const beside = (value: number, of: number, what: string) => ({ value, ...besides(of, what) });

const levelsOf = (vae: Vae) => vae.infer(observation(vae.spec), { samples: 1, progress: 1 }).levels;

const OF_AGGREGATE: readonly FigureName[] = [
  'activeUnitsByVariance',
  'mutualInformation',
  'mutualInformationAtMost',
  'marginalKl',
  'totalCorrelation',
  'dimensionWiseKl',
  'holes',
];

export interface LatentOptions {
  readonly seed: number;
  /** What z is drawn from when the model samples. */
  readonly source: ZSource;
}

/** Codes of the rows, and draws from the prior or what is in its place. */
export async function latentFindings(
  model: Model,
  subject: Subject,
  { seed, source }: LatentOptions,
  tell: Tell,
): Promise<Findings> {
  if (subject.count < LEAST)
    return leftOut(
      [...OF_AGGREGATE, 'priorDiscrepancy'],
      `there are ${subject.count} rows, and ${LEAST} are needed`,
    );
  const codes = await codesOf(model, subject, seed, tell);
  const prior = await draws(model, subject, seed, source);
  const against = priorFindings(model, codes.z, prior);
  const reason = await aggregateReason(model, codes);
  const aggregate =
    reason === undefined
      ? await aggregateFindings(model, subject, codes as Required<Codes>, { prior, seed, tell })
      : leftOut(OF_AGGREGATE, reason);
  return {
    figures: { ...against.figures, ...aggregate.figures },
    absent: { ...against.absent, ...aggregate.absent },
    protocols: {
      latent:
        `codes of ${rowsInWords(subject)}, one draw of q(z|x) each, and as many from ${sourceInWords(source)}` +
        (reason === undefined
          ? `; I(x; z) cannot show more than log ${subject.count} = ${Math.log(subject.count).toFixed(2)} nats`
          : ''),
    },
  };
}

export const sourceInWords = ({ name }: ZSource): string =>
  name === PRIOR ? 'the prior' : `the sampler ${name}`;

interface Codes {
  readonly z: Float32Array; // [count, width]
  readonly mean: Float32Array;
  /** Where q(z|x) is a Gaussian with a diagonal covariance, of one level. */
  readonly logVar?: Float32Array;
}

async function codesOf(model: Model, { data, count }: Subject, seed: number, tell: Tell): Promise<Codes> {
  const { latent } = model.vae.spec;
  const array = () => new Float32Array(count * latent);
  const [z, mean, logVar] = [array(), array(), array()];
  let isGaussian = levelsOf(model.vae).length === 1;
  let at = 0;
  for await (const batch of data.batches({ split: 'test', batchSize: READ })) {
    const q = await encodeBatch(model, batch, seed);
    z.set(q.z, at * latent);
    mean.set(q.mean, at * latent);
    if (q.logVar) logVar.set(q.logVar, at * latent);
    else isGaussian = false;
    at += batch.index.length;
    tell({ stage: 'codes', done: at, total: count });
  }
  return { z, mean, ...(isGaussian && { logVar }) };
}

/** As many draws of z as `elbo sample` makes them, each given what its row is given. */
async function draws(
  model: Model,
  { rows, count }: Subject,
  seed: number,
  source: ZSource,
): Promise<Float32Array> {
  const { latent } = model.vae.spec;
  const out = new Float32Array(count * latent);
  const all = conditionsIn(
    model,
    rows,
    Int32Array.from({ length: count }, (_, i) => i),
  );
  const random = (at: number) => stream(seed, 'evaluation condition', at);
  const given = all && sampledConditions(model, { conditions: all }, random);
  for (let at = 0; at < count; at += READ) {
    const n = Math.min(READ, count - at);
    const feeds = conditionFeed(model, given?.(at, n));
    out.set(await source.draw(n, { seed, at, temperature: 1, feeds }), at * latent);
  }
  return out;
}

/** Codes and draws from the prior as two sets of points: good for any posterior. */
function priorFindings({ vae }: Model, codes: Float32Array, prior: Float32Array): Findings {
  const { latent } = vae.spec;
  const reason =
    latent > MOST_DIMENSIONS
      ? `z has ${latent.toLocaleString('en')} dimensions, too many for a kernel (${MOST_DIMENSIONS})`
      : undefined;
  if (reason !== undefined) return leftOut(['priorDiscrepancy'], reason);
  const distance = discrepancy(pointsOf(codes, latent), pointsOf(prior, latent), inverseMultiquadric);
  const protocol = 'kernel 2d/(2d + |z − z′|²), unbiased (Gretton et al. 2012; Tolstikhin et al. 2018)';
  return { figures: { priorDiscrepancy: { ...distance, protocol } }, absent: {} };
}

async function aggregateReason({ vae, session }: Model, { logVar }: Codes): Promise<string | undefined> {
  if (isPoint(vae.spec.posterior)) return 'q(z|x) is a point, which has no density';
  if (levelsOf(vae).length > 1) return 'the levels of z depend on each other: q(z|x) is not one Gaussian';
  if ((await session('prior')).inputs.includes('condition'))
    return 'each row has a prior of its own, by what it is given';
  return logVar ? undefined : 'this posterior is not a Gaussian with a diagonal covariance';
}

/** What the KL is made of, by the mixture of all rows' posteriors. */
async function aggregateFindings(
  model: Model,
  { data, count }: Subject,
  { z, mean, logVar }: Required<Codes>,
  { prior, seed, tell }: { readonly prior: Float32Array; readonly seed: number; readonly tell: Tell },
): Promise<Findings> {
  const { latent } = model.vae.spec;
  const q: Gaussians = { count, width: latent, mean, logVar };
  const known = densities(q, z, (row) =>
    tell({ stage: 'aggregated posterior', done: row + 1, total: count }),
  );
  const separate = klOf(model.vae) === 'dimension';
  const kl = await klByRow(model, data, seed);
  const { dimensionWiseKl, ...parts } = decomposition(known, kl, separate);
  const isFull = parts.mutualInformation.value > FULL * Math.log(count);
  const varying = activeByVariance(q, VARIES);
  const thin = holes(known, logAggregate(q, prior));
  const chen = 'by the mixture of these rows’ posteriors (Chen et al. 2018, eq. 2; Hoffman & Johnson 2016)';
  return {
    figures: {
      activeUnitsByVariance: {
        ...varying,
        ...besides(latent, 'of'),
        protocol: 'Cov_x E_q[z] > 0.01 (Burda et al. 2016)',
      },
      mutualInformation: {
        ...parts.mutualInformation,
        ...besides(Math.log(count), 'log N'),
        protocol: chen,
      },
      mutualInformationAtMost: isFull
        ? { ...meanOf(moments(kl)), protocol: KL_BOUNDS }
        : { ...parts.mutualInformationAtMost, protocol: LEFT_OUT },
      ...(!isFull && {
        marginalKl: { ...parts.marginalKl, protocol: chen },
        totalCorrelation: { ...parts.totalCorrelation, protocol: chen },
      }),
      ...(dimensionWiseKl && { dimensionWiseKl: { ...dimensionWiseKl, protocol: chen } }),
      holes: {
        ...thin,
        ...besides(THIN, 'without'),
        protocol: 'log q(z) of prior draws below the 5 % point of log q(z) of the codes',
      },
    },
    absent: {
      ...(isFull && { marginalKl: apart(count), totalCorrelation: apart(count) }),
      ...(!dimensionWiseKl && { dimensionWiseKl: 'the prior is not a product over dimensions' }),
    },
  };
}

const apart = (count: number): string =>
  `the codes of ${count.toLocaleString('en')} rows hardly overlap, so that their mixture says little of all codes together: more --rows`;

const LEFT_OUT = 'each row left out of its own q(z) (the leave-one-out bound of Poole et al. 2019)';
const KL_BOUNDS = 'the KL itself, which I(x; z) cannot pass (Hoffman & Johnson 2016)';

/** KL(q(z|x) ‖ p(z)) of each row. */
async function klByRow(model: Model, data: Dataset, seed: number): Promise<Float64Array> {
  const found: number[] = [];
  const each = ({ kl }: Readonly<Record<string, Value>>, count: number) => {
    const all = kl!.data as Float32Array;
    const width = all.length / count;
    for (let i = 0; i < count; i++)
      found.push(all.subarray(i * width, (i + 1) * width).reduce((a, b) => a + b, 0));
  };
  const source = fixedSource(data, model.codec, READ, seed, 'test');
  await evaluateElbo(await model.session('evaluation'), model.vae, {}, source, {
    batchSize: READ,
    seed,
    each,
  });
  return Float64Array.from(found);
}
