/**
 * Several levels of latent variables, top first: p(z) = Π p(zᵢ | z₁ … zᵢ₋₁) and q(z|x) = Π q(zᵢ | z₁ … zᵢ₋₁, x), all
 * Gaussian with a diagonal covariance, inferred from the top down (Sønderby et al. 2016; Kingma et al. 2016, appendix C;
 * Child 2021).
 */
import {
  add,
  concat,
  dimAt,
  flatten,
  multiply,
  reshape,
  type Shape,
  slice,
  split,
  sum,
  type Tensor,
} from '../graph/index.ts';
import { type Ladder, linear, noise, type Places, type Scope } from '../nn/index.ts';
import type { Inference, InferenceOptions } from './model.ts';
import {
  drawFrom,
  drawsOf,
  eachOf,
  gaussianKl,
  gaussianLevel,
  joined,
  type Moments,
  momentsOf,
  tiled,
} from './moments.ts';
import type { Posterior } from './posterior.ts';
import { diagonalGaussian } from './posteriors/index.ts';
import type { Prior } from './prior.ts';
import type { Level } from './terms.ts';

/** What a level's z is, given its prior and the state that came down to it. */
type Choose = (level: number, prior: Moments, state: Tensor) => Tensor;

export interface Hierarchy {
  /** Of all levels together. */
  readonly latent: number;
  readonly encode: (seen: Tensor, condition?: Tensor) => Posterior;
  readonly infer: (seen: Tensor, options: InferenceOptions, condition?: Tensor) => LevelsInferred;
  readonly prior: (condition?: Tensor) => Prior;
  /** z [N, latent], condition [N, C] → [N, …outputs]. */
  readonly decode: (z: Tensor, outputs: readonly number[], condition?: Tensor) => Tensor;
}

export interface LevelsInferred extends Inference {
  /** `decode` of the z drawn, where inference has been all the way down already. */
  readonly decodeDrawn?: (outputs: readonly number[]) => Tensor;
}

/**
 * `latent` dimensions at every place of every level. A condition [B, C] enters the state that comes down, which
 * everything else sees.
 */
export function createHierarchy(
  ladder: Ladder,
  root: Scope,
  shape: readonly number[],
  latent: number,
): Hierarchy {
  const levels = ladder.levels(shape);
  const sizes = levels.map((places) => places.reduce((a, b) => a * b, latent));
  const total = sizes.reduce((a, b) => a + b, 0);
  const start = (like: Tensor, condition?: Tensor) =>
    startOf(ladder, root.at('decoder'), levels[0]!, like, condition);
  const down = (state: Tensor, choose: Choose) => descend(ladder, root, levels, latent, state, choose);
  const posterior = (level: number, state: Tensor, shown: Tensor): Moments =>
    momentsOf(ladder.block(root.at('posterior').at(level), concat([state, shown], -1), 2 * latent));
  const given = (z: Tensor): Choose => {
    const each = split(z, -1, sizes);
    return (level) => reshape(each[level]!, [dimAt(z.shape, 0), ...levels[level]!, latent]);
  };
  const output = (state: Tensor, outputs: readonly number[]) =>
    ladder.output(root.at('decoder').at('output'), state, outputs);
  const parts = { ladder, root, levels, sizes, total, latent, start, down, posterior, output };
  return {
    latent: total,
    encode: (seen, condition) => encodeLevels(parts, seen, condition),
    infer: (seen, options, condition) => inferLevels(parts, seen, options, condition),
    prior: (condition) => priorOf(parts, given, condition),
    decode: (z, outputs, condition) => output(down(start(z, condition), given(z)), outputs),
  };
}

interface Parts {
  readonly ladder: Ladder;
  readonly root: Scope;
  readonly levels: readonly Places[];
  readonly sizes: readonly number[];
  readonly total: number;
  readonly latent: number;
  /** The state before the first level, for as many rows as `like` [N, …] has. */
  readonly start: (like: Tensor, condition?: Tensor) => Tensor;
  /** The state after the last level. */
  readonly down: (state: Tensor, choose: Choose) => Tensor;
  readonly posterior: (level: number, state: Tensor, shown: Tensor) => Moments;
  readonly output: (state: Tensor, outputs: readonly number[]) => Tensor;
}

function startOf(ladder: Ladder, scope: Scope, places: Places, like: Tensor, condition?: Tensor): Tensor {
  const learned = ladder.start(scope, places, like);
  if (!condition) return learned;
  const own = linear(scope.at('condition'), condition, ladder.channels); // [N, channels]
  return add(learned, reshape(own, [dimAt(own.shape, 0), ...places.map(() => 1), ladder.channels]));
}

/** The state below the last level, z chosen on the way. */
function descend(
  ladder: Ladder,
  root: Scope,
  levels: readonly Places[],
  latent: number,
  start: Tensor,
  choose: Choose,
): Tensor {
  const [priors, decoder] = [root.at('prior'), root.at('decoder')];
  let state = start;
  levels.forEach((places, level) => {
    const own = decoder.at(level);
    state = ladder.spread(own, state, places);
    const both = ladder.block(priors.at(level), state, 2 * latent + ladder.channels);
    const prior = momentsOf(slice(both, -1, 0, 2 * latent));
    const features = slice(both, -1, 2 * latent, 2 * latent + ladder.channels);
    const z = choose(level, prior, state);
    state = add(state, add(features, linear(own.at('latent'), z, ladder.channels)));
    state = add(state, ladder.block(own.at('block'), state, ladder.channels));
  });
  return state;
}

function inferLevels(
  parts: Parts,
  seen: Tensor,
  { samples }: Pick<InferenceOptions, 'samples'>,
  condition?: Tensor,
): LevelsInferred {
  const { ladder, root, sizes, total, start, down, posterior, output } = parts;
  const shown = ladder.up(root.at('encoder'), seen).map((h) => tiled(h, samples));
  const epsilon = split(noise('noise', 'normal', [multiply(samples, 'B'), total]), -1, sizes);
  const found: { q: Moments; p: Moments; z: Tensor }[] = [];
  const last = down(start(shown[0]!, condition && tiled(condition, samples)), (level, p, state) => {
    const q = posterior(level, state, shown[level]!);
    const z = drawFrom(q, reshape(epsilon[level]!, q.mean.shape));
    found.push({ q, p, z });
    return z;
  });
  const each = (t: Tensor) => reshape(t, [samples, 'B', multiply(...t.shape.slice(1))]);
  return {
    z: concat(
      found.map(({ z }) => each(z)),
      -1,
    ),
    levels: found.map(({ q, p, z }) => overPlaces(q, p, z, each, samples)),
    penalties: {},
    updates: {},
    decodeDrawn: (outputs) => output(last, outputs),
  };
}

/** The KL is summed over places: one figure for each of the dimensions that every place has. */
function overPlaces(q: Moments, p: Moments, z: Tensor, each: (t: Tensor) => Tensor, samples: number): Level {
  const kl = gaussianKl(q, p);
  const places = [...kl.shape.keys()].slice(1, -1);
  const perDimension = sum(kl, places); // [N, Z]
  return gaussianLevel(
    eachOf(q, each),
    eachOf(p, each),
    each(z),
    reshape(perDimension, [samples, 'B', dimAt(perDimension.shape, -1)]),
  );
}

/** Each level's μ and log σ² where those above it are at their means; draws go down with draws. */
function encodeLevels(parts: Parts, seen: Tensor, condition?: Tensor): Posterior {
  const { ladder, root, start, down, posterior } = parts;
  const found: Moments[] = [];
  const shown = ladder.up(root.at('encoder'), seen);
  down(start(shown[0]!, condition), (level, _, state) => {
    const q = posterior(level, state, shown[level]!);
    found.push(q);
    return q.mean;
  });
  return {
    ...joined(found.map((q) => eachOf(q, flatten))),
    draw: (samples) => drawsOf(inferLevels(parts, seen, { samples }, condition)),
  };
}

function priorOf(
  { sizes, total, start, down }: Parts,
  given: (z: Tensor) => Choose,
  condition?: Tensor,
): Prior {
  return {
    draw: (name) => {
      const epsilon = split(noise(name, 'normal', ['B', total]), -1, sizes);
      const drawn: Tensor[] = [];
      down(start(epsilon[0]!, condition), (level, p) => {
        const z = drawFrom(p, reshape(epsilon[level]!, p.mean.shape));
        drawn.push(flatten(z));
        return z;
      });
      return concat(drawn, -1);
    },
    logProb: (z) => {
      const [samples, batch] = z.shape as Shape & [number, 'B'];
      const rows = reshape(z, [multiply(samples, batch), total]);
      const choose = given(rows);
      const each: Tensor[] = [];
      down(start(rows, condition && tiled(condition, samples)), (level, p, state) => {
        const own = choose(level, p, state);
        each.push(diagonalGaussian(flatten(p.mean), flatten(p.logVar)).logProb(flatten(own)));
        return own;
      });
      return reshape(
        each.reduce((a, b) => add(a, b)),
        [samples, batch],
      );
    },
  };
}
