/** Experts of several modalities: their product and mixtures against arithmetic on numbers, and a linear Gaussian whose posterior is known. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { input, type Tensor } from '../../src/graph/index.ts';
import { mlp } from '../../src/nn/index.ts';
import {
  encoderGraph,
  type Gaussians,
  type ModelSpec,
  make,
  mixtureOfExperts,
  observation,
  type Posterior,
  posteriors,
  productOfExperts,
  terms,
  trainingGraph,
} from '../../src/vae/index.ts';
import { checkGradients } from '../check.ts';
import { evaluate, type Feeds, value } from '../reference.ts';
import { mixedSpec, small } from './models.ts';
import { aim, close, noiseFeeds, training } from './training.ts';

const [BATCH, MODALITIES, LATENT] = [3, 2, 2];
const shape = ['B', MODALITIES, LATENT] as const;
const each: Gaussians = { mean: input('mean', shape), logVar: input('logVar', shape) };
const there = input('there', ['B', MODALITIES]);
const means = [0.5, -1, 2, 0.1, -0.3, 0.7, 1.5, -2, 0.2, 0.4, -0.6, 1.1];
const logVars = [-1, 0.3, 0.2, -0.5, 0.9, -2, -0.1, 0.6, -1.4, 0, 0.8, -0.7];
/** Both are there, the first alone, neither. */
const THERE = [1, 1, 1, 0, 0, 0];
const feeds: Feeds = {
  mean: value(means, [BATCH, MODALITIES, LATENT]),
  logVar: value(logVars, [BATCH, MODALITIES, LATENT]),
  there: value(THERE, [BATCH, MODALITIES]),
};
const numbers = (t: Tensor, more: Feeds = {}) => evaluate([t], { ...feeds, ...more })[0]!.data;

/** Moments of expert m of row i in dimension j. */
const expert = (i: number, m: number, j: number) => {
  const at = (i * MODALITIES + m) * LATENT + j;
  return { mean: means[at]!, variance: Math.exp(logVars[at]!) };
};

/** The product of Gaussians. */
function product(all: readonly { mean: number; variance: number }[]) {
  const precision = all.reduce((sum, { variance }) => sum + 1 / variance, 0);
  const mean = all.reduce((sum, g) => sum + g.mean / g.variance, 0) / precision;
  return { mean, variance: 1 / precision };
}
const PRIOR = { mean: 0, variance: 1 };
const isThere = (i: number, m: number) => THERE[i * MODALITIES + m] === 1;
const rows = [...Array(BATCH).keys()];
const columns = [...Array(LATENT).keys()];

test('the product is that of the experts which are there and the prior; of one it is that one and the prior', () => {
  const q = productOfExperts(each, { there }, {});
  const [mean, logVar] = [numbers(q.mean), numbers(q.logVar!)];
  for (const i of rows)
    for (const j of columns) {
      const some = [0, 1].filter((m) => isThere(i, m)).map((m) => expert(i, m, j));
      const expected = product([PRIOR, ...some]);
      close(mean[i * LATENT + j]!, expected.mean, 1e-9, `mean ${i} ${j}`);
      close(logVar[i * LATENT + j]!, Math.log(expected.variance), 1e-9, `log variance ${i} ${j}`);
    }
});

test('no expert is too sharp or too flat for the product', () => {
  const wide = {
    ...feeds,
    logVar: value(
      logVars.map((_, i) => [-100, 100, 3, -60][i % 4]!),
      [BATCH, MODALITIES, LATENT],
    ),
  };
  const q = productOfExperts(each, { there }, {});
  for (const t of [q.mean, q.logVar!]) assert.ok(numbers(t, wide).every(Number.isFinite));
});

test('with experts that a linear model has, the product is its posterior given any of the modalities', () => {
  // z ~ N(0, 1), x_m = w_m z + s_m ε: as a function of z, p(x_m|z) is N(z; x_m / w_m, s_m² / w_m²)
  const [w, s, x] = [
    [2, -0.5],
    [0.7, 0.3],
    [1.3, 0.4],
  ] as const;
  const line = (f: (m: number) => number) =>
    value(
      [0, 1].flatMap((m) => [f(m)]),
      [1, 2, 1],
    );
  const one: Gaussians = { mean: input('m', ['B', 2, 1]), logVar: input('v', ['B', 2, 1]) };
  for (const seen of [[0, 1], [0], [1]]) {
    const q = productOfExperts(one, { there: input('there', ['B', 2]) }, {});
    const found = evaluate([q.mean, q.logVar!], {
      m: line((m) => x[m]! / w[m]!),
      v: line((m) => Math.log(s[m]! ** 2 / w[m]! ** 2)),
      there: value(
        [0, 1].map((m) => Number(seen.includes(m))),
        [1, 2],
      ),
    }).map(({ data }) => data[0]!);
    const precision = 1 + seen.reduce((sum, m) => sum + w[m]! ** 2 / s[m]! ** 2, 0);
    const mean = seen.reduce((sum, m) => sum + (w[m]! * x[m]!) / s[m]! ** 2, 0) / precision;
    close(found[0]!, mean, 1e-9, 'mean');
    close(found[1]!, -Math.log(precision), 1e-9, 'log variance');
  }
});

const SINGLES = [
  [true, false],
  [false, true],
];
const SUBSETS = [
  [true, false],
  [false, true],
  [true, true],
];

const logNormal = (z: number, { mean, variance }: { mean: number; variance: number }) =>
  -0.5 * ((z - mean) ** 2 / variance + Math.log(2 * Math.PI * variance));

/** The components of row i that count: products of the subsets that are all there, else the prior. */
function componentsOf(i: number, subsets: readonly (readonly boolean[])[]) {
  const whole = subsets.filter((subset) => subset.every((isIn, m) => !isIn || isThere(i, m)));
  const moments = (subset: readonly boolean[]) =>
    columns.map((j) => product([0, 1].filter((m) => subset[m]).map((m) => expert(i, m, j))));
  return whole.length > 0 ? whole.map(moments) : [columns.map(() => PRIOR)];
}

function logMixture(z: readonly number[], i: number, subsets: readonly (readonly boolean[])[]): number {
  const all = componentsOf(i, subsets);
  const densities = all.map((one) => Math.exp(one.reduce((sum, g, j) => sum + logNormal(z[j]!, g), 0)));
  return Math.log(densities.reduce((a, b) => a + b, 0) / all.length);
}

for (const [name, subsets] of [
  ['mixture of experts', SINGLES],
  ['mixture of products', SUBSETS],
] as const) {
  const build = (scale?: Tensor): Posterior =>
    mixtureOfExperts(each, subsets, { there }, scale ? { scale } : {});

  test(`${name}: density and mean are those of the subsets that are there`, () => {
    const q = build();
    const [samples, z] = [2, [0.3, -0.4, 1, 0.2, -1, 0.5, 0, 0, 2, 1, -0.2, 0.6]];
    const at = input('z', [samples, 'B', LATENT]);
    const found = numbers(q.logProb!(at), { z: value(z, [samples, BATCH, LATENT]) });
    for (const [k, v] of found.entries())
      close(v, logMixture(z.slice(k * LATENT, k * LATENT + LATENT), k % BATCH, subsets), 1e-6, `z ${k}`);
    const mean = numbers(q.mean);
    for (const i of rows)
      for (const j of columns) {
        const all = componentsOf(i, subsets).map((one) => one[j]!.mean);
        close(mean[i * LATENT + j]!, all.reduce((a, b) => a + b, 0) / all.length, 1e-9, 'mean');
      }
  });

  test(`${name}: draws have its mean and variance`, () => {
    const samples = 4000;
    const { z, logQz } = build().draw(samples);
    const noises = noiseFeeds({ z }, BATCH, 1);
    const [drawn, own] = [numbers(z, noises), numbers(logQz, noises)];
    for (const i of rows) {
      const first = [...drawn.subarray(i * LATENT, i * LATENT + LATENT)];
      close(own[i]!, logMixture(first, i, subsets), 1e-6, 'log q of a draw');
      for (const j of columns) {
        const all = Array.from({ length: samples }, (_, k) => drawn[(k * BATCH + i) * LATENT + j]!);
        const mean = all.reduce((a, b) => a + b, 0) / samples;
        const square = all.reduce((a, b) => a + b * b, 0) / samples;
        const parts = componentsOf(i, subsets).map((one) => one[j]!);
        const expected = parts.reduce((sum, g) => sum + g.mean, 0) / parts.length;
        const second = parts.reduce((sum, g) => sum + g.mean ** 2 + g.variance, 0) / parts.length;
        close(mean, expected, 5 * Math.sqrt(second / samples), `mean of row ${i}`);
        close(square, second, 0.25 * second, `square of row ${i}`);
      }
    }
  });

  test(`${name}: in training each component is drawn from once, another in place of one that is out`, () => {
    const q = build(input('scale', []));
    const copies = subsets.length;
    assert.deepEqual(q.copies, { count: copies });
    const { z, logQz } = q.draw(1);
    const noises = noiseFeeds({ z }, BATCH, 1);
    const quiet = {
      ...noises,
      noise: value(
        noises['noise']!.data.map(() => 0),
        noises['noise']!.shape,
      ),
    };
    const [centres, own] = [numbers(z, quiet), numbers(logQz, quiet)];
    for (let c = 0; c < copies; c++)
      for (const i of rows) {
        const at = c * BATCH + i;
        const found = [...centres.subarray(at * LATENT, at * LATENT + LATENT)];
        const all = componentsOf(i, subsets).map((one) => one.map((g) => g.mean));
        const candidates = i === 0 ? [all[c]!] : all;
        const nearest = Math.min(
          ...candidates.map((one) => Math.max(...one.map((v, j) => Math.abs(v - found[j]!)))),
        );
        close(nearest, 0, 1e-9, `copy ${c} of row ${i}`);
        close(own[at]!, logMixture(found, i, subsets), 1e-6, 'log q');
      }
  });
}

const network = mlp({ hidden: [4], activation: 'silu', norm: false });
const modalities = [
  { name: 'who', fields: ['age', 'member'] },
  { name: 'what', fields: ['city'] },
  { name: 'price', fields: ['price'] },
];
const kinds = ['poe', 'moe', 'mopoe'] as const;
const specOf = (kind: (typeof kinds)[number], more: Partial<ModelSpec> = {}): ModelSpec => ({
  ...mixedSpec,
  network,
  posterior: make(posteriors[kind]),
  modalities,
  ...more,
});

for (const kind of kinds) {
  test(`${kind}: gradients are those of central differences, with and without gaps`, () => {
    for (const more of [{}, { masked: false }]) {
      const { vae, losses, feeds: fed } = training(specOf(kind, more), aim('elbo'));
      const decoder = vae.parameters.filter(({ name }) => !/^(encoder|posterior)\./.test(name));
      // of a mixture the encoder's goes through z alone: see divergence.ts
      const checked = kind === 'poe' ? vae.parameters : decoder;
      checkGradients(
        losses.loss,
        checked.map((p) => p.tensor),
        fed,
      );
      assert.ok(trainingGraph(vae, aim('iwae', { samples: 2 })).reported.includes('loss'));
    }
  });

  test(`${kind}: an encoder sees its own fields alone, and what is missing is no expert`, () => {
    const { vae, feeds: fed } = small(specOf(kind), { batch: 2 });
    const all = { ...fed, mask: value([1, 1, 1, 1, 1, 1, 0, 1], [2, 4]) };
    const { mean } = encoderGraph(vae);
    const x = Float64Array.from(fed['x']!.data, (v, i) => (i === 6 + 4 ? v + 1 : v)); // the price of row 1, which is missing
    const [before, after] = [all, { ...all, x: value(x, [2, 6]) }].map(
      (one) => evaluate([mean!], one)[0]!.data,
    );
    assert.deepEqual(after, before);
    const other = Float64Array.from(fed['x']!.data, (v, i) => (i === 6 ? v + 1 : v));
    const [moved] = evaluate([mean!], { ...all, x: value(other, [2, 6]) });
    assert.notDeepEqual(moved!.data, before);
  });
}

test('training of a product shows each example whole and each modality alone, and p explains what was shown', () => {
  const { vae, feeds: fed } = small(specOf('poe', { masked: false }), { batch: 2 });
  const seen = observation(vae.spec);
  const t = terms(vae, seen, { samples: 1, progress: 1, scale: input('scale', []) });
  assert.equal(t.copies!.count, 4);
  const fields = Object.entries(t.fields);
  const noises = noiseFeeds({ z: t.z }, 2, 1);
  const found = evaluate(
    fields.map(([, each]) => each),
    { ...fed, ...noises },
  );
  fields.forEach(([field], f) => {
    const owner = modalities.findIndex((one) => one.fields.includes(field));
    found[f]!.data.forEach((v, at) => {
      const copy = Math.floor(at / 2);
      if (copy > 0 && copy - 1 !== owner) assert.equal(Math.abs(v), 0, `${field} in copy ${copy}`);
      else assert.notEqual(v, 0, `${field} in copy ${copy}`);
    });
  });
});

test('a mixture is trained by the mean over experts of the bound of each, whatever the bound', () => {
  for (const objective of [aim('elbo'), aim('iwae', { samples: 3 })]) {
    const { samples } = objective;
    const { vae, terms: t, at } = training(specOf('moe', { masked: false }), objective, { batch: 2 });
    const level = t.levels[0]!;
    const whole = trainingGraph(vae, objective).outputs['loss']!;
    const [px, pz, qz, loss] = at(t.logPx, level.logPz, level.logQz, whole) as Float64Array[];
    const beta = 0.7;
    const bounds = Array.from({ length: 6 }, (_, i) => {
      const logs = Array.from(
        { length: samples },
        (__, k) => px![k * 6 + i]! + beta * (pz![k * 6 + i]! - qz![k * 6 + i]!),
      );
      return Math.log(logs.reduce((sum, w) => sum + Math.exp(w), 0) / samples);
    });
    close(loss![0]!, -bounds.reduce((a, b) => a + b, 0) / 6, 1e-6, 'loss');
  }
});
