/**
 * The bodies of a hierarchy of latent variables: what a picture or row is shown as at each level, and a state that goes
 * from level to level, coarse to fine (Sønderby et al. 2016; in the form of Child 2021, section 3 and figure 3).
 */

import { UserError } from '../errors.ts';
import { add, dimAt, fixed, flatten, mul, pad, reshape, slice, type Tensor } from '../graph/index.ts';
import { type ActivationName, activations } from './activation.ts';
import { constantly, type Initialiser, leCunUniform } from './initialise.ts';
import { conv, convTranspose, dropout, type LayerOptions, linear } from './layers.ts';
import { halvings } from './networks.ts';
import type { Scope } from './parameters.ts';
import { enlarge, halve, placesOf } from './scale.ts';

/** Space of a level: [h, w] of a picture, [] of a row. */
export type Places = readonly number[];

/** Every tensor of a level is [N, …places, channels]. */
export interface Ladder {
  readonly inference: 'top down';
  /** The places of each level, top (coarsest) first. */
  readonly levels: (shape: readonly number[]) => readonly Places[];
  /** x [B, …shape] → what each level is shown of it, top first. */
  readonly up: (scope: Scope, x: Tensor) => readonly Tensor[];
  /** The state before the first level, for as many rows as `like` [N, …] has. */
  readonly start: (scope: Scope, places: Places, like: Tensor) => Tensor;
  /** A state of one level at the places of another. */
  readonly spread: (scope: Scope, state: Tensor, places: Places) => Tensor;
  /** A block whose result has `channels`; it starts near zero. */
  readonly block: (scope: Scope, x: Tensor, channels: number) => Tensor;
  /** The last state → [N, …outputs]. */
  readonly output: (scope: Scope, state: Tensor, outputs: readonly number[]) => Tensor;
  /** Of the state. */
  readonly channels: number;
}

export interface LadderOptions {
  /** Levels at each resolution, finest first: [0, 2, 2] are two levels after one halving and two after two. */
  readonly levels: readonly number[];
  readonly channels: number;
  readonly activation: ActivationName;
  /** Residual blocks, up and down: at twice the size of the finest levels and half their channels; of rows, and of levels of full size, at theirs. */
  readonly blocks: number;
  /** Share of the activations before the last layer of a block that training leaves out. */
  readonly dropout?: number;
}

const channelsOf = (x: Tensor): number => fixed(dimAt(x.shape, -1), 'channels');

/** A convolution of a picture, a product of a row. */
function layer(scope: Scope, x: Tensor, channels: number, kernel: number, given: LayerOptions = {}): Tensor {
  if (x.shape.length === 2) return linear(scope, x, channels, given);
  const small = placesOf(x).every((n) => n < kernel) ? 1 : kernel; // little to see beside so few places
  return conv(scope, x, channels, { kernel: small, padding: (small - 1) / 2, ...given });
}

const half = (channels: number): number => Math.max(8, Math.ceil(channels / 2));

/** Two layers of half the width, 8 at least, between two that change it (Child 2021, figure 3); the last starts small. */
function bottleneck(scope: Scope, x: Tensor, size: number, width: number, options: LadderOptions): Tensor {
  const { activation, levels, blocks } = options;
  const act = activations[activation];
  const middle = half(width);
  const depth = levels.reduce((a, b) => a + b, blocks);
  let h = layer(scope.at('in'), act(x), middle, 1);
  h = layer(scope.at('mid'), act(h), middle, 3);
  h = layer(scope.at('mid2'), act(h), middle, 3);
  const kept = dropout(scope, act(h), options.dropout);
  return layer(scope.at('out'), kept, size, 1, {
    weight: scaled(leCunUniform(middle), 1 / Math.sqrt(depth)),
  });
}

const scaled =
  (inner: Initialiser, factor: number): Initialiser =>
  (out, random) => {
    inner(out, random);
    for (let i = 0; i < out.length; i++) out[i]! *= factor;
  };

const finestOf = ({ levels }: LadderOptions): number => levels.findIndex((count) => count > 0);

/** The resolution of each level, as a number of halvings, top first. */
const resolutions = ({ levels }: LadderOptions): number[] =>
  levels.flatMap((count, halved) => Array<number>(count).fill(halved)).reverse();

export const ladder = (options: LadderOptions): Ladder => {
  const { channels, activation } = options;
  const act = activations[activation];
  const finest = finestOf(options);
  const block: Ladder['block'] = (scope, x, size) => bottleneck(scope, x, size, channels, options);
  const residual = (scope: Scope, x: Tensor) => add(x, block(scope, x, channels));
  const spread: Ladder['spread'] = (scope, state, at) => {
    if (placesOf(state).join() === at.join()) return state;
    return add(enlarge(state, at), scope.parameter('place', [1, ...at, channels], constantly(0)));
  };
  return {
    inference: 'top down',
    channels,
    block,
    levels: (shape) => resolutions(options).map((halved) => placesAt(shape, halved)),
    up: (scope, x) => {
      const row = x.shape.length === 2;
      let h = row
        ? blocksOf(scope.at('blocks'), linear(scope.at('stem'), x, channels), options)
        : shownOf(scope, x, options);
      const shown: Tensor[] = [];
      options.levels.forEach((count, halved) => {
        if (halved > finest && !row) h = halve(h);
        if (count > 0) h = residual(scope.at(halved), h);
        for (let i = 0; i < count; i++) shown.push(i === 0 ? h : (h = residual(scope.at(halved).at(i), h)));
      });
      return shown.reverse();
    },
    start: (scope, at, like) => {
      const learned = scope.parameter('start', [1, ...at, channels], constantly(0));
      const rows = reshape(slice(flatten(like), 1, 0, 1), [dimAt(like.shape, 0), ...at.map(() => 1), 1]);
      return add(learned, mul(0, rows));
    },
    spread,
    output: (scope, state, outputs) => {
      if (state.shape.length > 2) return pictureOf(scope, state, outputs as Sizes, options);
      return linear(scope, act(blocksOf(scope.at('blocks'), state, options)), outputs[0]!);
    },
  };
};

/** A layer whose result starts at zero. */
const NOTHING: LayerOptions = { weight: constantly(0), bias: constantly(0) };

/** Height, width and channels. */
type Sizes = readonly [number, number, number];

function blocksOf(scope: Scope, x: Tensor, options: LadderOptions): Tensor {
  const width = channelsOf(x);
  let h = x;
  for (let i = 0; i < options.blocks; i++) h = add(h, bottleneck(scope.at(i), h, width, width, options));
  return h;
}

/**
 * A picture at the finest levels' size: windows of it and, where there are blocks, what these make of smaller windows, which
 * starts at zero.
 */
function shownOf(scope: Scope, x: Tensor, options: LadderOptions): Tensor {
  const finest = finestOf(options);
  const direct = windowsOf(scope.at('stem'), x, options.channels, 2 ** finest);
  if (finest === 0) return blocksOf(scope.at('blocks'), direct, options);
  if (options.blocks === 0) return direct;
  const own = scope.at('fine');
  const larger = windowsOf(own.at('in'), x, half(options.channels), 2 ** (finest - 1));
  const made = halve(blocksOf(own.at('blocks'), larger, options));
  return add(direct, linear(own.at('out'), made, options.channels, NOTHING));
}

/** The way back from the last state, to [N, …shape]. */
function pictureOf(scope: Scope, state: Tensor, shape: Sizes, options: LadderOptions): Tensor {
  const act = activations[options.activation];
  const finest = finestOf(options);
  if (finest === 0) return toPicture(scope, act(blocksOf(scope.at('blocks'), state, options)), shape, 1);
  const direct = toPicture(scope, act(state), shape, 2 ** finest);
  if (options.blocks === 0) return direct;
  const own = scope.at('fine');
  const larger = linear(own.at('in'), enlarge(state, placesAt(shape, finest - 1)), half(options.channels));
  const made = act(blocksOf(own.at('blocks'), larger, options));
  return add(direct, toPicture(own.at('out'), made, shape, 2 ** (finest - 1), NOTHING));
}

/**
 * Zeros before and after n pixels, so that windows of 2 · times, `times` apart, as many as fit into n whole, reach them all: half
 * a window on each side where they fit exactly.
 */
function margins(n: number, times: number): [number, number] {
  const both = (Math.floor(n / times) + 1) * times - n;
  const before = Math.min(times / 2, both);
  return [before, both - before];
}

/** [B, H, W, C] → [B, ⌊H/times⌋, ⌊W/times⌋, channels]: windows that overlap by half. */
function windowsOf(scope: Scope, x: Tensor, channels: number, times: number): Tensor {
  if (times === 1) return layer(scope, x, channels, 3);
  const whole = placesOf(x).reduce((t, n, i) => pad(t, i + 1, ...margins(n, times)), x);
  return conv(scope, whole, channels, { kernel: 2 * times, stride: times });
}

/** The way back, to [B, …shape]. */
function toPicture(
  scope: Scope,
  x: Tensor,
  [height, width, channels]: Sizes,
  times: number,
  given: LayerOptions = {},
): Tensor {
  if (times === 1) return layer(scope, x, channels, 3, given);
  const whole = convTranspose(scope, x, channels, { kernel: 2 * times, stride: times, ...given });
  return [height, width].reduce((t, n, i) => {
    const [before] = margins(n, times);
    return slice(t, i + 1, before, before + n);
  }, whole);
}

function placesAt(shape: readonly number[], halved: number): number[] {
  const places = shape.slice(0, -1).map((n) => halvings(n, halved)[halved]!);
  if (places.some((n) => n < 1))
    throw new UserError(
      `levels: a picture of ${shape[0]} × ${shape[1]} cannot be halved ${halved} times; give fewer resolutions`,
    );
  return places;
}
