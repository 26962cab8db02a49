/**
 * Several levels of latent variables inferred from the bottom up: q(z|x) = q(z_L|x) Π q(z_l | z_{l+1}), top first, beside
 * p(z) = p(z₁) Π p(z_l | z_{l−1}), all Gaussian with a diagonal covariance (Burda et al. 2016, eqs. 1 and 2).
 */
import { add, concat, dimAt, flatten, mul, multiply, reshape, split, type Tensor } from '../graph/index.ts';
import { type Chain, noise, type Scope } from '../nn/index.ts';
import type { Hierarchy } from './hierarchy.ts';
import type { Inference } from './model.ts';
import {
  drawFrom,
  drawsOf,
  eachOf,
  gaussianKl,
  gaussianLevel,
  joined,
  logRatio,
  type Moments,
  momentsOf,
  tiled,
} from './moments.ts';
import type { Posterior } from './posterior.ts';
import { diagonalGaussian } from './posteriors/index.ts';
import type { Prior } from './prior.ts';

/** The hidden layers between a level and what is below it are twice as wide as the level. */
const WIDER = 2;

/** `latent` dimensions in the highest level, in each other twice those of the level above it. */
export function createChain({ depth, body }: Chain, root: Scope, latent: number): Hierarchy {
  const sizes = Array.from({ length: depth }, (_, level) => latent * 2 ** level); // top first
  const total = sizes.reduce((a, b) => a + b, 0);
  const net = (scope: Scope, x: Tensor, level: number, size: number, condition?: Tensor) =>
    body(scope, condition ? concat([x, condition], -1) : x, WIDER * sizes[level]!, size);
  const parts: Parts = {
    sizes,
    total,
    infer: (level, below, condition) =>
      momentsOf(net(root.at('encoder').at(level), below, level, 2 * sizes[level]!, condition)),
    prior: (level, above, condition) =>
      momentsOf(net(root.at('prior').at(level), above, level - 1, 2 * sizes[level]!, condition)),
  };
  return {
    latent: total,
    encode: (seen, condition) => encodeLevels(parts, seen, condition),
    infer: (seen, { samples }, condition) => inferLevels(parts, seen, samples, condition),
    prior: (condition) => priorOf(parts, condition),
    decode: (z, outputs, condition) => {
      const last = split(z, -1, sizes).at(-1)!;
      const size = outputs.reduce((a, b) => a * b, 1);
      return reshape(net(root.at('decoder'), last, depth - 1, size, condition), [
        dimAt(z.shape, 0),
        ...outputs,
      ]);
    },
  };
}

interface Parts {
  readonly sizes: readonly number[];
  readonly total: number;
  /** q(z_l | what is below it), of [N, …]. */
  readonly infer: (level: number, below: Tensor, condition?: Tensor) => Moments;
  /** p(z_l | z_{l−1}), of levels but the first. */
  readonly prior: (level: number, above: Tensor, condition?: Tensor) => Moments;
}

/** N(0, I), for as many rows as z has. */
const standard = (z: Tensor): Moments => ({ mean: mul(z, 0), logVar: mul(z, 0) });

/** p of every level, given all z. */
const priorsOf = ({ prior }: Parts, z: readonly Tensor[], condition?: Tensor): Moments[] =>
  z.map((own, level) => (level === 0 ? standard(own) : prior(level, z[level - 1]!, condition)));

function inferLevels(parts: Parts, seen: Tensor, samples: number, condition?: Tensor): Inference {
  const { sizes, total, infer } = parts;
  const given = condition && tiled(condition, samples);
  const epsilon = split(noise('noise', 'normal', [multiply(samples, 'B'), total]), -1, sizes);
  const [q, z] = [Array<Moments>(sizes.length), Array<Tensor>(sizes.length)];
  for (let level = sizes.length - 1; level >= 0; level--) {
    const below = z[level + 1];
    const own = below
      ? infer(level, below, given)
      : eachOf(infer(level, flatten(seen), condition), (t) => tiled(t, samples));
    q[level] = own;
    z[level] = drawFrom(own, epsilon[level]!);
  }
  const p = priorsOf(parts, z, given);
  const each = (t: Tensor) => reshape(t, [samples, 'B', dimAt(t.shape, -1)]);
  return {
    z: concat(z.map(each), -1),
    levels: z.map((own, level) => {
      const [from, to] = [q[level]!, p[level]!];
      // closed for the highest level alone: the priors of the others depend on what is drawn from them
      const kl = level === 0 ? gaussianKl(from, to) : logRatio(from, to, own);
      return gaussianLevel(eachOf(from, each), eachOf(to, each), each(own), each(kl));
    }),
    penalties: {},
    updates: {},
  };
}

/** Each level's μ and log σ² where those below it are at their means; draws go up with draws. */
function encodeLevels(parts: Parts, seen: Tensor, condition?: Tensor): Posterior {
  const { sizes, infer } = parts;
  const found: Moments[] = [];
  for (let level = sizes.length - 1; level >= 0; level--)
    found.unshift(infer(level, found[0]?.mean ?? flatten(seen), condition));
  return {
    ...joined(found),
    draw: (samples) => drawsOf(inferLevels(parts, seen, samples, condition)),
  };
}

function priorOf(parts: Parts, condition?: Tensor): Prior {
  const { sizes, total, prior } = parts;
  return {
    draw: (name) => {
      const drawn: Tensor[] = [];
      split(noise(name, 'normal', ['B', total]), -1, sizes).forEach((epsilon, level) => {
        drawn.push(level === 0 ? epsilon : drawFrom(prior(level, drawn[level - 1]!, condition), epsilon));
      });
      return concat(drawn, -1);
    },
    logProb: (z) => {
      const samples = Number(dimAt(z.shape, 0));
      const rows = split(reshape(z, [multiply(samples, 'B'), total]), -1, sizes);
      return priorsOf(parts, rows, condition && tiled(condition, samples))
        .map(({ mean, logVar }, level) => diagonalGaussian(mean, logVar).logProb(rows[level]!))
        .map((own) => reshape(own, [samples, 'B']))
        .reduce((a, b) => add(a, b));
    },
  };
}
