/** The mixture of Gaussians: its density, its fit to rows whose law is known, its draws. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { make } from '../../src/choice.ts';
import { stream, variates } from '../../src/random/index.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { type Covariance, covariances } from '../../src/samplers/covariance.ts';
import { type Sampler, samplers, type Tensors } from '../../src/samplers/index.ts';
import { fitMixture, type Mixture, mixtureLogProbs } from '../../src/samplers/mixture.ts';

const runtime = nodeRuntime({ threads: 1 });
const close = (actual: number, expected: number, by: number, what: string) =>
  assert.ok(Math.abs(actual - expected) <= by, `${what}: ${actual}, expected ${expected} within ${by}`);

/** ¼ N((−3, 1), [[1, 0.6], [0.6, 0.5]]) + ¾ N((2, 0), [[0.3, −0.2], [−0.2, 0.4]]). */
const WEIGHTS = [0.25, 0.75];
const MEANS = [[-3, 1], [2, 0]] as const; // biome-ignore format: rows
const SIGMAS = [[1, 0.6, 0.5], [0.3, -0.2, 0.4]] as const; // biome-ignore format: lower triangles

const known = (covariance: Covariance = 'full'): Mixture => {
  const { root } = covariances[covariance];
  const packed = SIGMAS.map(([a, b, c]) => (covariance === 'full' ? [a, b, c] : [a, c]));
  return {
    dimensions: 2,
    covariance,
    logWeights: Float64Array.from(WEIGHTS, Math.log),
    means: Float64Array.from(MEANS.flat()),
    roots: Float64Array.from(packed.flatMap((s) => [...root(Float64Array.from(s), 2)!])),
  };
};

/** The density in plain arithmetic, from the determinant and the inverse of a 2 × 2 matrix. */
function density(x: number, y: number, off = 1): number {
  return WEIGHTS.reduce((sum, weight, k) => {
    const [a, b, c] = [SIGMAS[k]![0], SIGMAS[k]![1] * off, SIGMAS[k]![2]];
    const [dx, dy] = [x - MEANS[k]![0], y - MEANS[k]![1]];
    const determinant = a * c - b * b;
    const squares = (c * dx * dx - 2 * b * dx * dy + a * dy * dy) / determinant;
    return sum + (weight * Math.exp(-squares / 2)) / (2 * Math.PI * Math.sqrt(determinant));
  }, 0);
}

test('log p of a mixture is that of its formula, with full and with diagonal covariances', () => {
  const points = Float32Array.of(0, 0, -3, 1.5, 2.2, -0.7, 30, -40);
  for (const [covariance, off] of [
    ['full', 1],
    ['diagonal', 0],
  ] as const) {
    // biome-ignore format: pairs
    const found = mixtureLogProbs(known(covariance), points);
    for (let i = 0; i < 3; i++)
      close(found[i]!, Math.log(density(points[2 * i]!, points[2 * i + 1]!, off)), 1e-6, `point ${i}`);
    assert.ok(found[3]! < -1000 && Number.isFinite(found[3]!), 'far away it is small, not −∞');
  }
});

/** A fitted mixture as what is kept of it. */
const asTensors = ({ logWeights, means, roots }: Mixture): Tensors => {
  const one = (values: Float64Array, shape: readonly number[]) => ({
    shape,
    data: Float32Array.from(values),
  });
  return {
    weights: one(logWeights.map(Math.exp), [2]),
    means: one(means, [2, 2]),
    roots: one(roots, [2, roots.length / 2]),
  };
};

const opened = (mixture: Mixture): Promise<Sampler> =>
  make(samplers.gmm, { components: 2, covariance: mixture.covariance }).open(
    asTensors(mixture),
    { width: 2 },
    runtime,
  );

const rowsOf = async (count: number, temperature = 1, covariance: Covariance = 'full') =>
  (await opened(known(covariance))).draw(count, stream(1, 'rows'), temperature);

test('draws have the moments of the mixture, and a temperature of 0 gives its means', async () => {
  const count = 40_000;
  const rows = await rowsOf(count);
  const mean = [0, 1].map((j) => rows.reduce((sum, v, i) => (i % 2 === j ? sum + v : sum), 0) / count);
  const product = (f: (x: number, y: number) => number) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += f(rows[2 * i]!, rows[2 * i + 1]!);
    return sum / count;
  };
  const expected = (f: (k: number) => number) => WEIGHTS.reduce((sum, weight, k) => sum + weight * f(k), 0);
  close(
    mean[0]!,
    expected((k) => MEANS[k]![0]),
    0.05,
    'E[x]',
  );
  close(
    mean[1]!,
    expected((k) => MEANS[k]![1]),
    0.02,
    'E[y]',
  );
  close(product((x) => x * x), expected((k) => SIGMAS[k]![0] + MEANS[k]![0] ** 2), 0.15, 'E[x²]'); // biome-ignore format: short
  close(product((x, y) => x * y), expected((k) => SIGMAS[k]![1] + MEANS[k]![0] * MEANS[k]![1]), 0.05, 'E[xy]'); // biome-ignore format: short
  const cold = await rowsOf(50, 0);
  for (let i = 0; i < 50; i++) assert.ok(MEANS.some(([x, y]) => x === cold[2 * i] && y === cold[2 * i + 1]));
});

test('the fit finds the mixture that rows were drawn from, and log p grows in every iteration', async () => {
  const rows = await rowsOf(8000);
  const iterations = fitMixture({
    rows,
    dimensions: 2,
    components: 2,
    covariance: 'full',
    rounds: 100,
    random: variates(stream(3, 'fit')),
  });
  const gains: number[] = [];
  for (;;) {
    const { done, value } = iterations.next();
    if (!done) {
      gains.push(value);
      continue;
    }
    const order = value.means[0]! < 0 ? [0, 1] : [1, 0];
    order.forEach((k, i) => {
      close(Math.exp(value.logWeights[k]!), WEIGHTS[i]!, 0.02, 'weight');
      [0, 1].forEach((j) => {
        close(value.means[2 * k + j]!, MEANS[i]![j]!, 0.06, `mean ${j}`);
      });
      const [a, b, c] = value.roots.subarray(3 * k, 3 * k + 3) as unknown as [number, number, number];
      [a * a, a * b, b * b + c * c].forEach((v, j) => {
        close(v, SIGMAS[i]![j]!, 0.12, `covariance ${j}`);
      });
    });
    break;
  }
  for (let i = 1; i < gains.length; i++) assert.ok(gains[i]! >= gains[i - 1]! - 1e-9, `iteration ${i}`);
});

test('rows that are all the same, and more components than rows, still give a finite density', async () => {
  for (const rows of [new Float32Array(40).fill(0.3), Float32Array.of(0, 1, 2, 3)]) {
    const family = make(samplers.gmm, { components: 5 });
    const fitting = { form: { width: 2 }, train: { rows }, validation: { rows }, seed: 0, runtime };
    const steps = family.fit(fitting);
    let tensors: Tensors | undefined;
    while (!tensors) {
      const { done, value } = await steps.next();
      if (done) tensors = value;
    }
    for (const [name, shape] of Object.entries(family.shapes({ width: 2 })))
      assert.deepEqual(tensors[name]!.shape, shape);
    const sampler = await family.open(tensors, { width: 2 }, runtime);
    for (const v of await sampler.logProbs({ rows })) assert.ok(Number.isFinite(v), String(v));
    for (const v of await sampler.draw(20, stream(0, 'draw'), 1)) assert.ok(Number.isFinite(v), String(v));
  }
});

test('covariances too large for memory are refused with a way out', () => {
  const refused = make(samplers.gmm, { components: 10 }).refuses!({ width: 10_000 });
  assert.match(refused!, /10 covariances of 10000 dimensions .* --covariance diagonal/);
  assert.equal(
    make(samplers.gmm, { components: 10, covariance: 'diagonal' }).refuses!({ width: 10_000 }),
    undefined,
  );
});
