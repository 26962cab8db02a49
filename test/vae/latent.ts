/** Posteriors and priors under test: small models with one of each, and points that cover the space that z is in. */
import type { Table } from '../../src/choice.ts';
import type { Tensor } from '../../src/graph/index.ts';
import { mlp } from '../../src/nn/index.ts';
import {
  createVae,
  likelihoods,
  type ModelSpec,
  make,
  type PosteriorFamily,
  type PosteriorName,
  type PriorFamily,
  type PriorName,
  posteriors,
  priors,
  type Space,
  type Vae,
} from '../../src/vae/index.ts';
import { draw, random } from '../check.ts';
import { type Feeds, value } from '../reference.ts';
import { close, mean, noiseFeeds } from './training.ts';

/** A choice by name with some of its options. */
export type Named<Name extends string> = Name | readonly [Name, object];

export const nameOf = (named: Named<string>): string => (typeof named === 'string' ? named : named[0]);

const made = <T>(table: Table<T>, named: Named<string>): T =>
  typeof named === 'string' ? make(table[named]!) : make(table[named[0]]!, { ...named[1] });

export const posterior = (named: Named<PosteriorName>): PosteriorFamily =>
  made<PosteriorFamily>(posteriors, named);
export const prior = (named: Named<PriorName>): PriorFamily => made<PriorFamily>(priors, named);

/** Rows of two numbers and a yes or no. */
export const rowsWith = (q: Named<PosteriorName>, p: Named<PriorName>, latent = 2): ModelSpec => ({
  shape: [3],
  parts: [
    { field: 'size', law: make(likelihoods.gaussian), start: 0, size: 2 },
    { field: 'member', law: make(likelihoods.bernoulli), start: 2, size: 1 },
  ],
  masked: false,
  latent,
  network: mlp({ hidden: [4], activation: 'tanh', norm: false }),
  posterior: posterior(q),
  prior: prior(p),
});

export interface Model {
  readonly vae: Vae;
  /** Parameters, x, scale, beta and progress. */
  readonly feeds: Feeds;
}

/** A model whose parameters are all drawn from ±`spread`, so that nothing hides behind where they start. */
export function model(spec: ModelSpec, { batch = 1, seed = 1, spread = 0.8 } = {}): Model {
  const vae = createVae(spec);
  const next = random(seed);
  const drawn = vae.parameters.map(
    ({ name, shape }) => [name, draw({ shape, range: [-spread, spread] }, batch, next)] as const,
  );
  const x = draw({ shape: ['B', ...spec.shape], range: [0, 1] }, batch, next);
  const knobs = { scale: value([1 / batch], []), beta: value([0.7], []), progress: value([0.5], []) };
  return { vae, feeds: { ...Object.fromEntries(drawn), x, ...knobs } };
}

/** Values for the noise that the outputs read. */
export const noiseFor = (outputs: readonly Tensor[], batch: number, seed = 3): Feeds =>
  noiseFeeds(Object.fromEntries(outputs.map((t, i) => [String(i), t])), batch, seed);

/** Points of a two-dimensional space and the area that each stands for. */
export interface Cover {
  readonly points: readonly (readonly number[])[];
  readonly areas: readonly number[];
}

const grid = (
  n: number,
  m: number,
  at: (i: number, j: number) => readonly [readonly number[], number],
): Cover => {
  const all = Array.from({ length: n * m }, (_, k) => at(Math.floor(k / m), k % m));
  return { points: all.map(([point]) => point), areas: all.map(([, area]) => area) };
};

const turn = (j: number, m: number): readonly [number, number] => [
  Math.cos((2 * Math.PI * (j + 0.5)) / m),
  Math.sin((2 * Math.PI * (j + 0.5)) / m),
];

const plane = grid(101, 101, (i, j) => [[(i - 50) / 4, (j - 50) / 4], 1 / 16]);
/** In ℝ³: rings of equal area. */
const sphere = grid(200, 40, (i, j) => {
  const w = (2 * (i + 0.5)) / 200 - 1;
  return [[w, ...turn(j, 40).map((v) => v * Math.sqrt(1 - w * w))], (4 * Math.PI) / 200 / 40];
});
/** Rings at the distance r = t² from the centre, whose area is sinh r dr dφ. */
const ball = grid(120, 60, (i, j) => {
  const t = (3.4 * (i + 0.5)) / 120;
  const r = t * t;
  const area = Math.sinh(r) * 2 * t * (3.4 / 120) * ((2 * Math.PI) / 60);
  return [turn(j, 60).map((v) => v * Math.tanh(r / 2)), area];
});
const covers: Partial<Record<Space, Cover>> = { real: plane, sphere, ball };

export const coverOf = (space: Space): Cover => covers[space]!;
/** The dimensions with which z has two degrees of freedom. */
export const latentFor = (space: Space): number => (space === 'sphere' ? 3 : 2);

/** The mean of draws is `expected`, within 4.5 of their standard errors. */
export function closeToMean(draws: ArrayLike<number>, expected: number, what: string): void {
  const average = mean(draws);
  const squares = mean(Array.from(draws, (v) => (v - average) ** 2));
  close(average, expected, 4.5 * Math.sqrt(squares / draws.length) + 1e-6, what);
}

/** The integral of exp(logP) over a cover is 1, and first and second moments of draws [N, Z] are those of the density. */
export function checkDraws(
  logP: ArrayLike<number>,
  { points, areas }: Cover,
  draws: ArrayLike<number>,
): void {
  const p = areas.map((area, i) => area * Math.exp(logP[i]!));
  close(
    p.reduce((a, b) => a + b, 0),
    1,
    2e-5,
    'total probability',
  );
  const latent = points[0]!.length;
  const powers = Array.from({ length: latent }, (_, i) =>
    Array.from({ length: i + 2 }, (__, j) => [i, j - 1] as const),
  ).flat();
  for (const [i, j] of powers) {
    const of = (z: (k: number) => number) => z(i) * (j < 0 ? 1 : z(j));
    const expected = p.reduce((sum, weight, n) => sum + weight * of((k) => points[n]![k]!), 0);
    const found = Array.from({ length: draws.length / latent }, (_, n) => of((k) => draws[n * latent + k]!));
    closeToMean(found, expected, j < 0 ? `mean of z${i}` : `mean of z${i} z${j}`);
  }
}
