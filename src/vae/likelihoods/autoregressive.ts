/** Binary pictures whose pixels depend on those before them, and not on z alone. */
import * as z from 'zod';
import { choice } from '../../choice.ts';
import {
  add,
  affine,
  concat,
  conv,
  dimAt,
  matmul,
  mul,
  multiply,
  pad,
  reshape,
  sigmoid,
  silu,
  type Tensor,
  tanh,
} from '../../graph/index.ts';
import { constantly, type Initialiser, leCunUniform } from '../../nn/index.ts';
import type { Variates } from '../../random/index.ts';
import {
  type FieldValues,
  type Grid,
  type Law,
  type Likelihood,
  type LikelihoodField,
  logProb,
} from '../likelihood.ts';
import { bernoulli } from './binary.ts';

interface Options {
  /** Rows above, and columns to each side, that a pixel sees of those before it; of logits also below. */
  readonly reach: number;
  /** Hidden units at each pixel. */
  readonly width: number;
}

/** Logits far from 0 say much the same: what of them is seen is tanh(l / FAR). */
const FAR = 4;

/** Passes over a picture in which the mean is found: each makes one more pixel right, row by row, and moves the others less. */
const PASSES = 8;

/** How many taps of its window, row by row from `reach` above on, come before a pixel. */
const earlier = (reach: number): number => reach * (2 * reach + 2);

/** The weights of f and their shapes, as `inTurn` applies them to tensors and `drawInTurn` to numbers. */
const shapesOf = (channels: number, { reach, width }: Options) => ({
  before: [earlier(reach) * channels, width],
  around: [(2 * reach + 1) ** 2 * channels, width],
  bias: [width],
  hidden: [width, width],
  hiddenBias: [width],
  output: [width, channels],
});

type Network<T> = Readonly<Record<keyof ReturnType<typeof shapesOf>, T>>;

/** A value for each weight. */
const eachWeight = <T>(
  channels: number,
  options: Options,
  of: (shape: readonly number[], name: string) => T,
): Network<T> =>
  Object.fromEntries(
    Object.entries(shapesOf(channels, options)).map(([name, shape]) => [name, of(shape, name)]),
  ) as Network<T>;

const initialOf = (name: string, [rows = 1]: readonly number[]): Initialiser =>
  name === 'output' || /bias/i.test(name) ? constantly(0) : leCunUniform(rows);

/**
 * p(x|z) = Π Bernoulli(xᵢ; lᵢ(z) + f(x before i, l around i)) over pixels i, row by row, with a small network f that is the same
 * everywhere and 0 at first (a decoder that sees pixels close by alone: Chen et al. 2017; PixelVAE: Gulrajani et al. 2017).
 * Channels of a pixel do not see each other. The mean takes earlier pixels at their means.
 */
function inTurn({ scope, space, channels }: LikelihoodField, logits: Tensor, options: Options): Likelihood {
  const { reach, width } = options;
  const net = eachWeight(channels, options, (shape, name) =>
    scope.parameter(name, shape, initialOf(name, shape)),
  );
  const network = concat(
    Object.values(net).map((t) => reshape(t, [multiply(...t.shape)])),
    0,
  );
  const earlierOnly = pad(net.before, 0, 0, (reach + 1) * channels); // nothing of the pixel itself and those after it
  const pictures = (t: Tensor) => reshape(t, [multiply(...t.shape.slice(0, -1)), ...space, channels]);
  const perPlace = (t: Tensor, like: Tensor) => reshape(t, [...like.shape.slice(0, -1), ...space, width]);
  const window = 2 * reach + 1;
  const levelled = pictures(tanh(mul(logits, 1 / FAR)));
  const around = perPlace(conv(levelled, net.around, net.bias, [window, window], { padding: reach }), logits);
  const given = (x: Tensor): Tensor => {
    const framed = pad(pad(pictures(x), 1, reach, 0), 2, reach, reach);
    const seen = perPlace(conv(framed, earlierOnly, undefined, [reach + 1, window]), x);
    const h = silu(affine(silu(add(seen, around)), net.hidden, net.hiddenBias));
    const change = matmul(h, net.output); // [K, B, h, w, C]
    return add(logits, reshape(change, [...change.shape.slice(0, 2), dimAt(logits.shape, -1)]));
  };
  return {
    // built where it is asked for: it is the largest part by far
    get mean() {
      return Array.from({ length: PASSES }).reduce<Tensor>((m) => sigmoid(given(m)), sigmoid(logits));
    },
    values: { logits, network },
    logProbs: (x) => bernoulli(given(x)).logProbs(x),
    logProb: (x) => logProb(bernoulli(given(x)), x),
  };
}

/** The same on numbers, a pixel after the other: `out` is read where it is drawn already. */
function drawInTurn(
  values: FieldValues,
  { uniform }: Variates,
  out: Float32Array,
  { space, channels }: Grid,
  options: Options,
): void {
  const { reach, width } = options;
  const [height, columns] = space as readonly [number, number];
  const window = 2 * reach + 1;
  const levelled = values['logits']!.map((l) => Math.tanh(l / FAR));
  let at = 0;
  const net = eachWeight(channels, options, (shape) =>
    values['network']!.subarray(at, (at += shape.reduce((a, b) => a * b))),
  );
  const [seen, h] = [new Float64Array(width), new Float64Array(width)];
  /** Adds what the first taps of the window of a place give of a picture. */
  const gather = (from: Float32Array, weight: Float32Array, taps: number, place: number) => {
    for (let tap = 0; tap < taps; tap++) {
      const r = Math.floor(place / columns) + Math.floor(tap / window) - reach;
      const c = (place % columns) + (tap % window) - reach;
      if (r < 0 || r >= height || c < 0 || c >= columns) continue;
      for (let k = 0; k < channels; k++) {
        const x = from[(r * columns + c) * channels + k]!;
        if (x !== 0) addScaled(seen, weight, (tap * channels + k) * width, x);
      }
    }
  };
  out.fill(0);
  for (let place = 0; place < height * columns; place++) {
    seen.set(net.bias);
    gather(out, net.before, earlier(reach), place);
    gather(levelled, net.around, window ** 2, place);
    h.set(net.hiddenBias);
    seen.forEach((v, i) => {
      addScaled(h, net.hidden, i * width, siluOf(v));
    });
    for (let k = 0; k < channels; k++) {
      const i = place * channels + k;
      const change = h.reduce((sum, v, unit) => sum + siluOf(v) * net.output[unit * channels + k]!, 0);
      out[i] = Number(uniform() < 1 / (1 + Math.exp(-values['logits']![i]! - change)));
    }
  }
}

const siluOf = (v: number): number => v / (1 + Math.exp(-v));

/** to += x · row of `weights` from `at` on. */
function addScaled(to: Float64Array, weights: Float32Array, at: number, x: number): void {
  for (let i = 0; i < to.length; i++) to[i]! += x * weights[at + i]!;
}

export const autoregressive = {
  autoregressiveBernoulli: choice({
    doc: 'Bernoulli for binarised pictures, each pixel given those before it close by (Chen et al. 2017).',
    options: {
      reach: z.int().min(1).max(8).default(3).describe('rows above and columns beside a pixel that it sees'),
      width: z.int().min(1).max(1024).default(16).describe('hidden units of the network at each pixel'),
    },
    build: (options): Law => ({
      support: 'binary',
      discrete: true,
      pictures: true,
      parameters: ['logits'],
      build: ([field], [logits]) => inTurn(field!, logits!, options),
      draw: (values, random, out, grid) => drawInTurn(values, random, out, grid, options),
    }),
  }),
};
