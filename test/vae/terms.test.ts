import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradients, input, scalar, sub, sum, type Tensor } from '../../src/graph/index.ts';
import { stream } from '../../src/random/index.ts';
import {
  diagonalGaussian,
  importanceGraph,
  type ModelSpec,
  make,
  negativeElbo,
  negativeIwae,
  observation,
  posteriors,
  standardNormal,
  type Terms,
  terms,
} from '../../src/vae/index.ts';
import { evaluate, type Value, value } from '../reference.ts';
import { linearSpec, mixedSpec, pictureSpec, small } from './models.ts';

const close = (actual: number, expected: number, by: number, what: string) =>
  assert.ok(Math.abs(actual - expected) <= by, `${what}: ${actual}, expected ${expected} within ${by}`);

const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((a, b) => a + b, 0) / values.length;

/** The terms of a small model with `samples` samples. */
function termsOf(spec: ModelSpec, samples = 1) {
  const { vae, feeds } = small(spec, { samples });
  return { vae, feeds, t: terms(vae, observation(spec), { samples, progress: 1 }) };
}

const prior = standardNormal(2);

test('the KL of a Gaussian in closed form is that of Monte Carlo', () => {
  const count = 40_000;
  const q = diagonalGaussian(input('mean', ['B', 2]), input('logVar', ['B', 2]));
  const { z, logQz } = q.draw(count);
  const sampled = sub(logQz, prior.logProb(z));
  const noise = new Float32Array(count * 4);
  stream(2, 'kl').normal(noise);
  const feeds = {
    mean: value([0.4, -1.3, 2.5, 0], [2, 2]),
    logVar: value([-1, 0.5, -3, 0], [2, 2]),
    noise: value(noise, [count * 2, 2]),
  };
  const [closed, draws] = evaluate([prior.kl!(q)!, sampled], feeds);
  for (const row of [0, 1]) {
    const kl = closed!.data[2 * row]! + closed!.data[2 * row + 1]!;
    const own = draws!.data.filter((_, i) => i % 2 === row);
    const average = mean(own);
    const error = Math.sqrt(mean(own.map((v) => (v - average) ** 2)) / count);
    close(average, kl, 4 * error, `row ${row}`);
  }
});

test('the KL is 0 from the prior to itself and positive elsewhere', () => {
  const q = diagonalGaussian(input('mean', ['B', 1]), input('logVar', ['B', 1]));
  const at = (mu: number, logVar: number): number =>
    evaluate([standardNormal(1).kl!(q)!], { mean: value([mu], [1, 1]), logVar: value([logVar], [1, 1]) })[0]!
      .data[0]!;
  assert.equal(at(0, 0), 0);
  for (const mu of [-2, 0, 1]) for (const l of [-4, -0.1, 0.1, 2]) assert.ok(at(mu, l) > 0, `${mu}, ${l}`);
});

for (const [name, spec] of Object.entries({ mixed: mixedSpec, picture: pictureSpec })) {
  test(`${name}: terms keep samples and examples apart`, () => {
    const { feeds, t } = termsOf(spec, 4);
    const [level] = t.levels;
    const shapes = { logPx: t.logPx, z: level!.z, logPz: level!.logPz, logQz: level!.logQz, kl: level!.kl };
    const values = evaluate(Object.values(shapes), feeds).map(({ shape }) => [...shape]);
    assert.deepEqual(values, [
      [4, 3],
      [4, 3, 2],
      [4, 3],
      [4, 3],
      [1, 3, 2],
    ]);
  });
}

test('log p(x|z) is the sum of its fields, each exactly 0 where it is missing', () => {
  const { feeds, t } = termsOf(mixedSpec, 2);
  const [logPx, ...fields] = evaluate([t.logPx, ...Object.values(t.fields)], feeds);
  const mask = feeds['mask']!.data;
  assert.ok(mask.includes(0) && mask.includes(1));
  logPx!.data.forEach((v, i) => {
    close(
      fields.reduce((a, f) => a + f.data[i]!, 0),
      v,
      1e-12,
      `sample ${i}`,
    );
    fields.forEach(({ data }, j) => {
      assert.equal(data[i] === 0, mask[(i % 3) * 4 + j] === 0, `field ${j} of sample ${i}`);
    });
  });
});

test('a value that is missing has no gradient: nothing is learned from it', () => {
  const { vae, feeds, t } = termsOf(mixedSpec);
  const bias = vae.parameters.find((p) => p.name === 'decoder.output.bias')!; // age, city × 3, price, member
  const nothing = value([1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1], [3, 4]); // the city is missing everywhere
  const x = { ...feeds['x']!, data: feeds['x']!.data.map((v, i) => ([1, 2, 3].includes(i % 6) ? 0 : v)) };
  const [g] = evaluate(gradients(sum(t.logPx), [bias.tensor]), { ...feeds, x, mask: nothing });
  assert.deepEqual([...g!.data.subarray(1, 4)], [0, 0, 0]);
  assert.ok(g!.data[0] !== 0 && g!.data[4] !== 0 && g!.data[5] !== 0);
});

test('with one sample the importance-weighted bound is the ELBO with sampled KL, exactly', () => {
  for (const spec of [mixedSpec, pictureSpec, linearSpec]) {
    const { vae, feeds, t } = termsOf(spec);
    const { logPz, logQz } = t.levels[0]!;
    const parts = [importanceGraph(vae, 1)['logWeight']!, t.logPx, logPz, logQz];
    const [weight, logPx, pz, qz] = evaluate(parts, feeds).map(({ data }) => data);
    weight!.forEach((w, i) => {
      close(w, logPx![i]! - (qz![i]! - pz![i]!), 1e-12, `example ${i}`);
    });
  }
});

test('the importance-weighted objective is −log of the mean weight, over the batch', () => {
  for (const samples of [1, 4]) {
    const { vae, feeds, t } = termsOf(mixedSpec, samples);
    const { loss } = negativeIwae(t, { scale: input('scale', []), beta: scalar(1) });
    const [{ data }, { data: weights }] = evaluate(
      [loss, importanceGraph(vae, samples)['logWeight']!],
      feeds,
    ) as [Value, Value];
    const bound = [0, 1, 2].map((i) => Math.log(mean(weights.filter((_, j) => j % 3 === i).map(Math.exp))));
    close(data[0]!, -mean(bound), 1e-6, `${samples} samples`);
  }
});

/** The loss as its formula says, in plain arithmetic. */
function naiveElbo(
  { logPx, kl }: { logPx: Float64Array; kl: Float64Array },
  free: number,
  beta: number,
): number {
  const latent = 2;
  const perDimension = Array.from({ length: latent }, (_, j) => mean(kl.filter((_, i) => i % latent === j)));
  const counted = free > 0 ? perDimension.map((v) => Math.max(free, v)) : perDimension;
  return beta * counted.reduce((a, b) => a + b, 0) - mean(logPx);
}

const lossOf = (t: Terms, freeBits: number): Tensor =>
  negativeElbo(t, { scale: input('scale', []), beta: input('beta', []) }, freeBits).loss;

test('−ELBO with β and free bits is its formula', () => {
  const { feeds, t } = termsOf(mixedSpec, 3);
  const [logPx, kl] = evaluate([t.logPx, t.levels[0]!.kl], feeds).map(({ data }) => data);
  const sums = [0, 1].map((j) => mean(kl!.filter((_, i) => i % 2 === j)));
  const between = (sums[0]! + sums[1]!) / 2; // lifts one dimension and not the other
  for (const free of [0, Math.fround(between), 10]) {
    const [loss] = evaluate([lossOf(t, free)], feeds);
    close(loss!.data[0]!, naiveElbo({ logPx: logPx!, kl: kl! }, free, 0.7), 1e-6, `free bits ${free}`);
  }
});

test('a dimension under its free bits is not pressed further down', () => {
  const { vae, feeds, t } = termsOf(mixedSpec);
  const bias = vae.parameters.find((p) => p.name === 'posterior.bias')!; // μ × 2, log σ² × 2
  const slope = (free: number): number[] => {
    const kl = sub(lossOf(t, free), lossOf(t, 0));
    return [...evaluate(gradients(kl, [bias.tensor]), feeds)[0]!.data];
  };
  const [all] = evaluate(gradients(sum(t.levels[0]!.kl), [bias.tensor]), feeds);
  const expected = [...all!.data].map((g) => (-0.7 * g) / 3); // the whole pull of the KL taken away
  slope(10).forEach((g, i) => {
    close(g, expected[i]!, 1e-8, `parameter ${i}`);
  });
});

test('a point posterior gives z = μ in every sample, and a KL of 0', () => {
  const { feeds, t } = termsOf({ ...mixedSpec, posterior: make(posteriors.point) }, 2);
  const [{ z, posterior, kl }] = t.levels as [(typeof t.levels)[number]];
  const [draws, mean, divergence] = evaluate([z, posterior.mean, kl], feeds);
  assert.deepEqual([...draws!.data], [...mean!.data, ...mean!.data]);
  assert.deepEqual([...divergence!.data].map(Math.abs), [0, 0, 0, 0, 0, 0]);
});
