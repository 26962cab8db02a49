/** Every likelihood at values that show what it does. One without a case does not compile. */
import type { LikelihoodName } from '../../src/vae/index.ts';
import type { Setting } from './laws.ts';

/** The set that a feature, or a whole field, is in, with what each point counts for in a sum or an integral. */
export interface Space {
  /** Each a feature; of a field whose features depend on each other, all of them. */
  readonly points: readonly (readonly number[])[];
  readonly weights: readonly number[];
}

export interface LawCase extends Setting {
  readonly space: Space;
  /** How far the mean may be off, where the law only says so much. */
  readonly meanWithin?: number;
}

const counted = (points: readonly (readonly number[])[]): Space => ({ points, weights: points.map(() => 1) });

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** All features that each are one of `values`. */
const grid = (values: readonly number[], features: number): Space => {
  const all = upTo(features).reduce<number[][]>(
    (rows) => rows.flatMap((row) => values.map((v) => [...row, v])),
    [[]],
  );
  return counted(all);
};

/** The trapezoid rule in t, as good as exact for what falls off at both ends: x = f(t), weight f′(t) dt. */
function curve(f: (t: number) => number, slope: (t: number) => number, end: number, steps: number): Space {
  const ts = Array.from({ length: 2 * end * steps + 1 }, (_, i) => i / steps - end);
  return { points: ts.map((t) => [f(t)]), weights: ts.map((t) => slope(t) / steps) };
}

const sigmoid = (t: number): number => 1 / (1 + Math.exp(-t));

const real = curve(Math.sinh, Math.cosh, 6, 256);
const farReal = curve(Math.sinh, Math.cosh, 14, 128);
const unit = curve(sigmoid, (t) => sigmoid(t) * sigmoid(-t), 25, 32);
const positive = curve(Math.exp, Math.exp, 30, 32);
const circle: Space = (() => {
  const angles = upTo(512).map((i) => ((i + 0.5) / 256 - 1) * Math.PI);
  return { points: angles.map((a) => [a]), weights: angles.map(() => Math.PI / 256) };
})();
const counts = grid(upTo(600), 1);
const levels = (n: number): number[] => upTo(n).map((i) => i / (n - 1));
const classes = counted(upTo(3).map((i) => upTo(3).map((j) => Number(i === j))));

const DECODED = { spread: 'decoded' };
const LOGITS = [-1.2, 0.4, 2.1];

/** Numbers that are all different, from −1 to 1. */
const some = (n: number, phase = 0): number[] =>
  upTo(n).map((i) => Math.fround(Math.sin(1 + phase + 2.3 * i)));

export const lawCases: Record<LikelihoodName, readonly LawCase[]> = {
  bernoulli: [{ values: [LOGITS], size: 3, space: grid([0, 1], 3) }],
  autoregressiveBernoulli: [
    {
      options: { reach: 1, width: 3 },
      values: [some(6)],
      size: 6,
      channels: 1,
      picture: [2, 3],
      moved: 2,
      space: grid([0, 1], 6),
      meanWithin: 0.1,
    },
    {
      options: { reach: 2, width: 4 },
      values: [some(8, 2)],
      size: 8,
      channels: 2,
      picture: [2, 2],
      moved: 2,
      space: grid([0, 1], 8),
      meanWithin: 0.1,
    },
  ],
  continuousBernoulli: [{ values: [[-3, 0, 0.1, 9]], size: 4, space: unit }],
  beta: [
    { values: [[0.3, -1]], size: 2, space: unit },
    {
      options: DECODED,
      values: [
        [0.3, -1],
        [1.5, 3],
      ],
      size: 2,
      space: unit,
    },
  ],
  discretisedLogistic: [
    { options: { levels: 2 }, values: [[0.1, -0.4]], size: 2, space: grid([0, 1], 1), meanWithin: 0.5 },
    {
      options: { levels: 256, ...DECODED },
      values: [
        [0.1, -0.4, 0.2],
        [-1, 0.5, 2],
      ],
      size: 3,
      space: grid(levels(256), 1),
      meanWithin: 1e-4,
    },
  ],
  logisticMixture: [
    {
      options: { levels: 3, components: 2 },
      values: [some(4), some(12, 1), some(12, 2), some(12, 3)],
      size: 6,
      channels: 3,
      space: grid(levels(3), 6),
      meanWithin: 0.05,
    },
    {
      options: { levels: 64, components: 3 },
      values: [some(6), some(6, 1), some(6, 2)],
      size: 2,
      space: grid(levels(64), 1),
      meanWithin: 1e-3,
    },
  ],
  gaussian: [{ values: [[0.7, -1.5]], size: 2, space: real }],
  gaussianShared: [{ values: [[0.7, -1.5]], size: 2, space: real }],
  gaussianOptimal: [{ values: [[0.7, -1.5]], size: 2, space: real }],
  gaussianFixed: [{ options: { sigma: 0.5 }, values: [[0.7, -1.5]], size: 2, space: real }],
  gaussianPredicted: [
    {
      values: [
        [0.7, -1.5],
        [0.3, -2],
      ],
      size: 2,
      space: real,
    },
  ],
  laplace: [
    { values: [[0, Math.sinh(-1.5)]], size: 2, space: real },
    {
      options: DECODED,
      values: [
        [0, Math.sinh(0.5)],
        [0.3, -0.3],
      ],
      size: 2,
      space: real,
    },
  ],
  studentT: [
    { values: [[0.7, -1.5]], size: 2, space: farReal },
    {
      options: { freedom: 2.5, ...DECODED },
      values: [
        [0.7, -1.5],
        [0.3, -1],
      ],
      size: 2,
      space: farReal,
    },
  ],
  gaussianMixture: [
    { options: { components: 3 }, values: [some(6), some(6, 1), some(6, 2)], size: 2, space: real },
    {
      options: { components: 2 },
      values: [some(8), some(8, 1), some(8, 2)],
      size: 4,
      channels: 2,
      space: real,
    },
  ],
  logNormal: [
    { values: [[0.5, -1]], size: 2, space: positive },
    {
      options: DECODED,
      values: [
        [0.5, -1],
        [-0.7, 0.2],
      ],
      size: 2,
      space: positive,
    },
  ],
  gamma: [
    { values: [[0.5, -1]], size: 2, space: positive },
    {
      options: DECODED,
      values: [
        [0.5, 3],
        [-0.4, 2],
      ],
      size: 2,
      space: positive,
    },
  ],
  poisson: [{ values: [[-2, 0.7, 4]], size: 3, space: counts }],
  negativeBinomial: [
    { values: [[-1, 2]], size: 2, space: counts },
    {
      options: DECODED,
      values: [
        [-1, 4],
        [-0.5, 3],
      ],
      size: 2,
      space: counts,
    },
  ],
  zeroInflatedPoisson: [
    {
      values: [
        [-1, 2],
        [0.5, -1],
      ],
      size: 2,
      space: counts,
    },
  ],
  zeroInflatedNegativeBinomial: [
    {
      values: [
        [-1, 2],
        [0.5, -1],
      ],
      size: 2,
      space: counts,
    },
    {
      options: DECODED,
      values: [
        [-1, 2],
        [0.5, -1],
        [0.2, 2],
      ],
      size: 2,
      space: counts,
    },
  ],
  binomial: [{ options: { trials: 9 }, values: [[-2, 0.7]], size: 2, space: grid(upTo(10), 1) }],
  betaBinomial: [
    { options: { trials: 9 }, values: [[-2, 0.7]], size: 2, space: grid(upTo(10), 1) },
    {
      options: { trials: 40, ...DECODED },
      values: [
        [-2, 0.7],
        [0, 4],
      ],
      size: 2,
      space: grid(upTo(41), 1),
    },
  ],
  vonMises: [
    {
      values: [
        [0.6, -2],
        [0.2, -0.3],
      ],
      size: 2,
      space: circle,
    },
    {
      options: DECODED,
      values: [
        [0.6, -2],
        [0.2, 0.3],
        [-1, 4],
      ],
      size: 2,
      space: circle,
    },
  ],
  categorical: [{ values: [LOGITS], size: 3, space: classes }],
  ordinal: [{ values: [[0.6]], size: 3, space: classes }],
};
