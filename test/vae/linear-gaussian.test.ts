import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stream } from '../../src/random/index.ts';
import { createVae, decoderGraph, evaluationGraph, importanceGraph } from '../../src/vae/index.ts';
import { evaluate, type Feeds, value } from '../reference.ts';
import { exactPosterior, type LinearGaussian, logDensity } from './linear-gaussian.ts';
import { linearSpec } from './models.ts';

const LATENT = 2;
const vae = createVae(linearSpec);

const learned = vae.parameters.find((p) => p.name.startsWith('likelihood'))!;

/** s², as the graph makes it of what it has learned. */
const RAW = -0.13;
const variance = (() => {
  const feeds = decoding({
    w: [
      [0, 0],
      [0, 0],
      [0, 0],
    ],
    b: [0, 0, 0],
    variance: 0,
  });
  const [logVar] = evaluate([decoderGraph(vae)['row.logVar']!], { ...feeds, z: value([0, 0], [1, 2]) });
  return Math.exp(logVar!.data[0]!);
})();

/** Columns at right angles, so that the posterior is diagonal. */
const model: LinearGaussian = {
  w: [
    [0.8, 0.3],
    [-0.4, 0.6],
    [0.5, 0],
  ],
  b: [0.2, -1, 0.5],
  variance,
};

const rows = [
  [0.1, -0.7, 1.2],
  [2, 0.4, -0.3],
  [-1.5, -1.1, 0.9],
  [0.2, -1, 0.5],
];
const exact = rows.map((x) => logDensity(model, x));

function decoding({ w, b }: LinearGaussian): Feeds {
  const transposed = w[0]!.flatMap((_, j) => w.map((row) => row[j]!));
  return {
    'decoder.output.weight': value(transposed, [LATENT, 3]),
    'decoder.output.bias': value(b, [3]),
    [learned.name]: value([RAW], [1]),
  };
}

/** Feeds for a posterior that is `off` from the exact one, and standing normal noise of `samples` for each row. */
function feedsFor(off: number, noise: ArrayLike<number>): Feeds {
  const { weight, bias } = exactPosterior(model);
  const moved = (v: number, i: number) => v + off * Math.cos(3 * i);
  return {
    ...decoding(model),
    'posterior.weight': value(weight.map(moved), [3, 2 * LATENT]),
    'posterior.bias': value(bias.map(moved), [2 * LATENT]),
    x: value(rows.flat(), [rows.length, 3]),
    noise: value(noise, [noise.length / LATENT, LATENT]),
  };
}

const normal = (count: number): Float32Array => {
  const out = new Float32Array(count);
  stream(7, 'linear Gaussian').normal(out);
  return out;
};

/** log p(x, z) − log q(z|x) of K samples for each row: [K][rows]. */
function logWeights(off: number, noise: ArrayLike<number>): number[][] {
  const samples = noise.length / LATENT / rows.length;
  const [w] = evaluate([importanceGraph(vae, samples)['logWeight']!], feedsFor(off, noise));
  return Array.from({ length: samples }, (_, k) => [
    ...w!.data.subarray(k * rows.length, (k + 1) * rows.length),
  ]);
}

/** log p(x|z) is a quadratic of z, so ±√Z along each axis give its expectation exactly (a cubature of degree 3). */
const cubature: readonly number[][] = [
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
].map((e) => e.map((v) => v * Math.SQRT2));

/** The ELBO of each row without any sampling error, with the KL in closed form. */
function exactElbo(off: number): number[] {
  const { logPx, kl } = evaluationGraph(vae);
  const each = cubature.map((e) => {
    const [px, divergence] = evaluate(
      [logPx!, kl!],
      feedsFor(
        off,
        rows.flatMap(() => e),
      ),
    );
    return rows.map((_, i) => px!.data[i]! - divergence!.data[2 * i]! - divergence!.data[2 * i + 1]!);
  });
  return rows.map((_, i) => each.reduce((sum, elbos) => sum + elbos[i]! / cubature.length, 0));
}

const logMeanExp = (values: readonly number[]): number => {
  const top = Math.max(...values);
  return top + Math.log(values.reduce((sum, v) => sum + Math.exp(v - top), 0) / values.length);
};

/** Mean of the K-sample bound of a row over all groups of K weights, and its standard error. */
function iwae(weights: readonly number[][], row: number, samples: number) {
  const groups = Array.from({ length: weights.length / samples }, (_, g) =>
    logMeanExp(weights.slice(g * samples, (g + 1) * samples).map((w) => w[row]!)),
  );
  const mean = groups.reduce((a, b) => a + b, 0) / groups.length;
  const variance = groups.reduce((a, b) => a + (b - mean) ** 2, 0) / (groups.length - 1);
  return { mean, error: Math.sqrt(variance / groups.length) };
}

test('with the exact posterior the ELBO is log p(x), and every importance weight is p(x)', () => {
  exactElbo(0).forEach((elbo, i) => {
    assert.ok(Math.abs(elbo - exact[i]!) < 1e-6, `row ${i}: ELBO ${elbo}, log p(x) ${exact[i]}`);
  });
  for (const weights of logWeights(0, normal(rows.length * LATENT * 50))) {
    weights.forEach((w, i) => {
      assert.ok(Math.abs(w - exact[i]!) < 1e-6, `row ${i}: weight ${w}, log p(x) ${exact[i]}`);
    });
  }
});

test('with another posterior ELBO ≤ IWAE(K) ≤ log p(x), rising with K, and log p(x) in the end', () => {
  const weights = logWeights(0.25, normal(rows.length * LATENT * 6000));
  const elbo = exactElbo(0.25);
  rows.forEach((_, row) => {
    const bounds = [1, 2, 5, 20, 100].map((samples) => iwae(weights, row, samples));
    const [first] = bounds;
    assert.ok(Math.abs(first!.mean - elbo[row]!) < 4 * first!.error, `row ${row}: one sample is the ELBO`);
    assert.ok(elbo[row]! < exact[row]! - 0.02, `row ${row}: the posterior is off`);
    const means = [elbo[row]! - 4 * first!.error, ...bounds.map(({ mean }) => mean)];
    for (let i = 1; i < means.length; i++) assert.ok(means[i]! >= means[i - 1]!, `row ${row}: ${means}`);
    for (const { mean, error } of bounds) assert.ok(mean <= exact[row]! + 4 * error, `row ${row}: ${means}`);
    const ratios = weights.map((w) => Math.exp(w[row]! - exact[row]!)); // p̂(x) / p(x), without bias
    const ratio = ratios.reduce((a, b) => a + b, 0) / ratios.length;
    const spread = ratios.reduce((a, b) => a + (b - ratio) ** 2, 0) / ratios.length;
    assert.ok(
      Math.abs(ratio - 1) < 4 * Math.sqrt(spread / ratios.length),
      `row ${row}: p̂(x)/p(x) is ${ratio}`,
    );
  });
});
