/**
 * Several levels of latent variables, top first: p(z) = Π p(zᵢ | z₁ … zᵢ₋₁) and q(z|x) = Π q(zᵢ | z₁ … zᵢ₋₁, x), all
 * Gaussian with a diagonal covariance, those of q bent by flows where asked for, inferred from the top down (Sønderby et al.
 * 2016; Kingma et al. 2016, appendix C; Child 2021).
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
import type { Flow } from './flows/flow.ts';
import type { Inference, InferenceOptions, ModelSpec } from './model.ts';
import {
  bentLevel,
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
  { shape, latent, posterior: { flow } }: Pick<ModelSpec, 'shape' | 'latent' | 'posterior'>,
): Hierarchy {
  const levels = ladder.levels(shape);
  const sizes = levels.map((places) => places.reduce((a, b) => a * b, latent));
  const total = sizes.reduce((a, b) => a + b, 0);
  const start = (like: Tensor, condition?: Tensor) =>
    startOf(ladder, root.at('decoder'), levels[0]!, like, condition);
  const down = (state: Tensor, choose: Choose) => descend(ladder, root, levels, latent, state, choose);
  const posterior = (level: number, state: Tensor, shown: Tensor): LevelPosterior => {
    const [scope, seen] = [root.at('posterior').at(level), concat([state, shown], -1)];
    const own = { base: momentsOf(ladder.block(scope, seen, 2 * latent)) };
    if (!flow) return own;
    const features = linear(scope.at('context'), seen, Math.ceil(ladder.channels / NARROWER));
    return { ...own, bend: overRows(flow(scope.at('flow'), flatten(features), sizes[level]!)) };
  };
  const given = (z: Tensor): Choose => {
    const each = split(z, -1, sizes);
    return (level) => reshape(each[level]!, [dimAt(z.shape, 0), ...levels[level]!, latent]);
  };
  const output = (state: Tensor, outputs: readonly number[]) =>
    ladder.output(root.at('decoder').at('output'), state, outputs);
  const bent = flow !== undefined;
  const parts = { ladder, root, levels, sizes, total, latent, bent, start, down, posterior, output };
  return {
    latent: total,
    encode: (seen, condition) => encodeLevels(parts, seen, condition),
    infer: (seen, options, condition) => inferLevels(parts, seen, options, condition),
    prior: (condition) => priorOf(parts, given, condition),
    decode: (z, outputs, condition) => output(down(start(z, condition), given(z)), outputs),
  };
}

/** A Gaussian of [N, …places, Z] and, where it is bent, by what: a flow of its rows. */
interface LevelPosterior {
  readonly base: Moments;
  readonly bend?: Flow;
}

/** What a flow is shown of a level has the channels of the state divided by this. */
const NARROWER = 4;

interface Parts {
  readonly ladder: Ladder;
  readonly root: Scope;
  readonly levels: readonly Places[];
  readonly sizes: readonly number[];
  readonly total: number;
  readonly latent: number;
  /** Whether posteriors are bent by flows. */
  readonly bent: boolean;
  /** The state before the first level, for as many rows as `like` [N, …] has. */
  readonly start: (like: Tensor, condition?: Tensor) => Tensor;
  /** The state after the last level. */
  readonly down: (state: Tensor, choose: Choose) => Tensor;
  readonly posterior: (level: number, state: Tensor, shown: Tensor) => LevelPosterior;
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
  const each = (t: Tensor) => reshape(t, [samples, 'B', multiply(...t.shape.slice(1))]);
  const found: Level[] = [];
  const last = down(start(shown[0]!, condition && tiled(condition, samples)), (level, p, state) => {
    const { base, bend } = posterior(level, state, shown[level]!);
    const drawn = drawFrom(base, reshape(epsilon[level]!, base.mean.shape));
    found.push(
      bend
        ? bentLevel(eachOf(base, each), eachOf(p, each), each(drawn), bend)
        : overPlaces(base, p, drawn, each, samples),
    );
    return reshape(found.at(-1)!.z, drawn.shape);
  });
  return {
    z: concat(
      found.map(({ z }) => z),
      -1,
    ),
    levels: found,
    penalties: {},
    updates: {},
    decodeDrawn: (outputs) => output(last, outputs),
  };
}

/** A flow of z [1, N, Z], each row by a context of its own, of z [N, Z] or [K, B, Z] with N = K · B. */
const overRows =
  (flow: Flow): Flow =>
  (z) => {
    const [size, ...rows] = [...z.shape].reverse() as [number, ...Shape];
    const moved = flow(reshape(z, [1, multiply(...rows), size]));
    return { z: reshape(moved.z, z.shape), logDet: reshape(moved.logDet, z.shape.slice(0, -1)) };
  };

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

/** Each level's mean and, where q is not bent, log σ², where those above it are at their means; draws go down with draws. */
function encodeLevels(parts: Parts, seen: Tensor, condition?: Tensor): Posterior {
  const { ladder, root, start, down, posterior, bent } = parts;
  const found: { base: Moments; mean: Tensor }[] = [];
  const shown = ladder.up(root.at('encoder'), seen);
  down(start(shown[0]!, condition), (level, _, state) => {
    const { base, bend } = posterior(level, state, shown[level]!);
    const mean = bend ? reshape(bend(flatten(base.mean)).z, base.mean.shape) : base.mean;
    found.push({ base, mean });
    return mean;
  });
  const { mean, logVar } = joined(found.map(({ base, mean }) => eachOf({ ...base, mean }, flatten)));
  return {
    mean,
    ...(!bent && { logVar }),
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
