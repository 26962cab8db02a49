/**
 * Posteriors that several experts give together, each a Gaussian from the encoder of one modality: their product, their
 * mixture, and the mixture of the products of all subsets of them.
 */
import { choice } from '../../choice.ts';
import { UserError } from '../../errors.ts';
import {
  add,
  argMax,
  concat,
  constant,
  dimAt,
  divide,
  exp,
  fixed,
  gemm,
  greater,
  log,
  logSumExp,
  max,
  minimum,
  mul,
  multiply,
  neg,
  oneHot,
  reshape,
  slice,
  softmax,
  split,
  stopGradient,
  sub,
  sum,
  type Tensor,
  transpose,
  unsqueeze,
  where,
} from '../../graph/index.ts';
import { linear, noise } from '../../nn/index.ts';
import { gaussian } from '../likelihoods/index.ts';
import { tiled } from '../moments.ts';
import type { Experts, Posterior, PosteriorContext, PosteriorFamily, Subset } from '../posterior.ts';
import { diagonalGaussian } from './gaussian.ts';

/** Gaussians with diagonal covariances, side by side. */
export interface Gaussians {
  readonly mean: Tensor; // [B, N, Z]
  readonly logVar: Tensor; // [B, N, Z]
}

/** A log weight of what does not count: its exponential is 0 beside any other. */
const OUT = -1e9;

const countOf = ({ mean }: Gaussians): number => fixed(dimAt(mean.shape, 1), 'Gaussians');

/** N(0, I) as one more. */
function withPrior({ mean, logVar }: Gaussians): Gaussians {
  const more = (t: Tensor) => concat([t, mul(slice(mean, 1, 0, 1), 0)], 1);
  return { mean: more(mean), logVar: more(logVar) };
}

/**
 * The product of the experts of each subset, of those that are `there` [B, M]: a Gaussian whose precision is the sum of
 * theirs, and its mean theirs weighed by precision (Wu & Goodman 2018, section 2.2, after Cao & Fleet 2014), in logs so
 * that no precision overflows → [B, C, Z]. What a subset without any expert gives means nothing.
 */
function products({ mean, logVar }: Gaussians, subsets: readonly Subset[], there?: Tensor): Gaussians {
  const count = fixed(dimAt(mean.shape, 1), 'experts');
  const left = subsets.flatMap((subset) => subset.map((isIn) => (isIn ? 0 : OUT)));
  const outside = constant(left, [1, subsets.length, count, 1]);
  const absent = there && reshape(mul(sub(1, there), OUT), [dimAt(there.shape, 0), 1, count, 1]);
  const logPrecision = add(unsqueeze(neg(logVar), [1]), absent ? add(outside, absent) : outside); // [B, C, M, Z]
  return {
    mean: sum(mul(softmax(logPrecision, 2), unsqueeze(mean, [1])), [2]),
    logVar: neg(logSumExp(logPrecision, 2)),
  };
}

/** The first `count` of [B, N, Z] → [count·B, Z], the whole batch of the first first. */
function stacked(t: Tensor, count: number): Tensor {
  const some = transpose(slice(t, 1, 0, count), [1, 0, 2]);
  return reshape(some, [multiply(count, dimAt(t.shape, 0)), dimAt(t.shape, 2)]);
}

const every = (count: number): Subset => Array<boolean>(count).fill(true);
const single = (count: number, of: number): Subset => Array.from({ length: count }, (_, m) => m === of);
const singles = (count: number): Subset[] => Array.from({ length: count }, (_, m) => single(count, m));
/** All but the empty one. */
const subsetsOf = (count: number): Subset[] =>
  Array.from({ length: 2 ** count - 1 }, (_, s) =>
    Array.from({ length: count }, (__, m) => ((s + 1) & (1 << m)) > 0),
  );

type Training = Pick<PosteriorContext, 'scale'>;

/**
 * q = N(0, I) · Π q_m(z|x_m), normalised (Wu & Goodman 2018, section 2.2). In training each example stands there once
 * whole and once with each modality alone, of which p then has to explain no more (section 2.3; without the further
 * random subsets), so that every expert learns to do without the others.
 */
export function productOfExperts(
  each: Gaussians,
  { there }: Pick<Experts, 'there'>,
  { scale }: Training,
): Posterior {
  const count = countOf(each);
  const apart = scale !== undefined && count > 1;
  const shown = apart ? [every(count), ...singles(count)] : [every(count)];
  const whole = there && concat([there, add(mul(slice(there, 1, 0, 1), 0), 1)], 1); // the prior always is
  const { mean, logVar } = products(
    withPrior(each),
    shown.map((subset) => [...subset, true]),
    whole,
  );
  const q = diagonalGaussian(stacked(mean, shown.length), stacked(logVar, shown.length));
  return apart ? { ...q, copies: { count: shown.length, shown } } : q;
}

/** Σ_c w_c N(μ_c, diag σ_c²). */
interface Mixture extends Gaussians {
  /** log w_c, [B or 1, C]. */
  readonly logWeights: Tensor;
}

/** The products of some subsets, weighed alike. One that an example lacks a member of is out; where all are, q is N(0, I). */
function mixtureOf(each: Gaussians, subsets: readonly Subset[], there?: Tensor): Mixture {
  const own = products(each, subsets);
  const count = subsets.length;
  if (!there)
    return { ...own, logWeights: constant(Array<number>(count).fill(-Math.log(count)), [1, count]) };
  const members = subsets[0]!.map((_, m) => subsets.map((subset) => Number(subset[m])));
  const lacking = gemm(sub(1, there), constant(members.flat(), [members.length, count])); // [B, C]
  const whole = sub(1, minimum(lacking, 1));
  const counted = concat([whole, sub(1, max(whole, [1], { keepDims: true }))], 1);
  const logWeights = sub(mul(sub(1, counted), OUT), log(sum(counted, [1], { keepDims: true })));
  return { ...withPrior(own), logWeights };
}

/** μ and log σ² of a component for each row, [K, B, Z]: any, as often as it weighs. */
function anyOf(
  { mean, logVar, logWeights }: Mixture,
  samples: number,
  name: string,
): readonly [Tensor, Tensor] {
  const [batch, count] = [dimAt(mean.shape, 0), dimAt(mean.shape, 1)];
  const gumbel = reshape(noise(`${name}.expert`, 'gumbel', [multiply(samples, batch), count]), [
    samples,
    batch,
    count,
  ]);
  const chosen = unsqueeze(oneHot(argMax(add(gumbel, logWeights)), fixed(count, 'components')), [3]); // [K, B, C, 1]
  return [sum(mul(chosen, mean), [2]), sum(mul(chosen, logVar), [2])];
}

/** The same for the `count` copies of a batch, each component once, any other in place of one that is out: [count·B, Z]. */
function oneEach(mixture: Mixture, count: number, name: string): readonly [Tensor, Tensor] {
  const own = [stacked(mixture.mean, count), stacked(mixture.logVar, count)] as const;
  if (countOf(mixture) === count) return own; // none is ever out
  const isThere = greater(stacked(unsqueeze(mixture.logWeights, [2]), count), OUT / 2);
  const others = anyOf(mixture, 1, name).map((t) => tiled(reshape(t, t.shape.slice(1)), count));
  return [where(isThere, own[0], others[0]!), where(isThere, own[1], others[1]!)];
}

/** For training in `copies` of the batch, [copies·B, …]: stratified sampling, each component as often as the others. */
function mixed(mixture: Mixture, copies: number): Posterior {
  const { mean, logVar, logWeights } = mixture;
  const logProb = (z: Tensor, held = false): Tensor => {
    const [samples, batch] = [dimAt(z.shape, 0), dimAt(z.shape, 1)];
    const own = reshape(z, [multiply(samples, copies), divide(batch, copies)!, 1, dimAt(z.shape, 2)]);
    const parts = held ? [mean, logVar].map(stopGradient) : [mean, logVar];
    const each = add(sum(gaussian(parts[0]!, parts[1]!).logProbs(own), [-1]), logWeights); // [K, B, C]
    return reshape(logSumExp(each, -1), [samples, multiply(copies, dimAt(each.shape, 1))]);
  };
  const average = sum(mul(unsqueeze(exp(logWeights), [2]), mean), [1]);
  return {
    mean: copies > 1 ? tiled(average, copies) : average,
    draw: (samples, name = 'noise') => {
      const [m, v] = copies > 1 ? oneEach(mixture, copies, name) : anyOf(mixture, samples, name);
      const { z } = diagonalGaussian(m, v).draw(samples, name);
      return { z, logQz: logProb(z) };
    },
    logProb,
    ...(copies > 1 && { copies: { count: copies } }),
  };
}

/**
 * q = Σ_S w_S Π_{m ∈ S} q_m(z|x_m) over the subsets S whose modalities are all there. In training each of them is drawn from
 * once for every example (Shi et al. 2019, section 3.1), while log q is that of the whole mixture.
 */
export function mixtureOfExperts(
  each: Gaussians,
  subsets: readonly Subset[],
  { there }: Pick<Experts, 'there'>,
  { scale }: Training,
): Posterior {
  const mixture = mixtureOf(each, subsets, there);
  if (countOf(mixture) === 1) return diagonalGaussian(stacked(mixture.mean, 1), stacked(mixture.logVar, 1));
  return mixed(mixture, scale ? subsets.length : 1);
}

/** From features [B, M·H] of all modalities. */
function expertsOf(features: Tensor, latent: number, { scope, experts }: PosteriorContext): Gaussians {
  const count = experts!.count;
  const width = fixed(dimAt(features.shape, -1), 'features') / count;
  const each = split(features, -1, Array<number>(count).fill(width)).map((own, m) =>
    split(linear(scope.at(m), own, 2 * latent), -1, [latent, latent]).map((t) => unsqueeze(t, [1])),
  );
  const beside = (part: 0 | 1) =>
    concat(
      each.map((one) => one[part]!),
      1,
    );
  return { mean: beside(0), logVar: beside(1) };
}

const MOST_MODALITIES = 5; // 31 subsets

const family = { space: 'real', random: true, density: true, experts: true } as const;

function mixtureFamily(subsets: (count: number) => Subset[]): PosteriorFamily {
  return {
    ...family,
    stratified: true,
    build: (features, latent, context) => {
      const each = expertsOf(features, latent, context);
      return mixtureOfExperts(each, subsets(countOf(each)), context.experts!, context);
    },
  };
}

export const expertPosteriors = {
  poe: choice({
    doc: 'Product of a Gaussian for each modality and the prior (Wu & Goodman 2018); --modality groups fields.',
    options: {},
    build: (): PosteriorFamily => ({
      ...family,
      diagonal: true,
      build: (features, latent, context) =>
        productOfExperts(expertsOf(features, latent, context), context.experts!, context),
    }),
  }),
  moe: choice({
    doc: 'Mixture of a Gaussian for each modality (Shi et al. 2019); --modality groups fields.',
    options: {},
    build: () => mixtureFamily(singles),
  }),
  mopoe: choice({
    doc: 'Mixture of the products of all subsets of modalities (Sutter et al. 2021); --modality groups fields.',
    options: {},
    build: () =>
      mixtureFamily((count) => {
        if (count <= MOST_MODALITIES) return subsetsOf(count);
        throw new UserError(
          `posterior "mopoe": ${count} modalities have ${2 ** count - 1} subsets; group fields with --modality so that there are at most ${MOST_MODALITIES}`,
        );
      }),
  }),
};
