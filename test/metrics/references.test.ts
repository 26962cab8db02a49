/** The same numbers as SciPy, scikit-image and numpy give (reference.py). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cubic,
  decomposition,
  densities,
  discrepancy,
  eigenSymmetric,
  frechetDistance,
  functionOf,
  inverseMultiquadric,
  logAggregate,
  overlap,
  type Picture,
  peakSignalToNoise,
  pointsOf,
  principalComponents,
  product,
  project,
  squaredError,
  structuralSimilarity,
} from '../../src/metrics/index.ts';
import { near } from './near.ts';

function picture(height: number, width: number, channels: number, a: number): Picture {
  const data = new Uint8Array(height * width * channels);
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let k = 0; k < channels; k++, at++)
        data[at] = Math.floor(127.5 * (1 + Math.sin(a + 0.7 * x + 0.3 * y * (1 + k) + 0.05 * x * y)));
  return { height, width, channels, data };
}

const points = (n: number, d: number, a: number, s: number) =>
  pointsOf(
    Float64Array.from({ length: n * d }, (_, at) => {
      const [i, j] = [Math.floor(at / d), at % d];
      return s * Math.sin(a + 1.3 * i * (j + 1) + 0.11 * i * i + j) + 0.2 * a * j;
    }),
    d,
  );
const [x, y] = [points(60, 4, 0, 1), points(60, 4, 0.9, 1.2)];

test('PSNR and SSIM are those of scikit-image', () => {
  const [a, b] = [picture(17, 20, 3, 0), picture(17, 20, 3, 0.4)];
  near(peakSignalToNoise(squaredError(a, b)), 17.044931202683383, 1e-12);
  near(structuralSimilarity(a, b), 0.9207515338904425, 1e-12);
  near(structuralSimilarity(a, a), 1, 1e-12);
  near(structuralSimilarity(picture(11, 11, 1, 0.2), picture(11, 11, 1, 1)), 0.7073152152824016, 1e-12);
});

test('the Fréchet distance is that of SciPy’s matrix root, and 0 of a set from itself', () => {
  near(frechetDistance(x, y).value, 0.558331705945054, 1e-10);
  near(frechetDistance(y, x).value, 0.558331705945054, 1e-10);
  near(frechetDistance(x, x).value, 0, 1e-10);
});

test('precision, recall, density and coverage are those of the papers’ formulas', () => {
  const { precision, recall, density, coverage } = overlap(x, y);
  near(precision.value, 34 / 60, 1e-12);
  near(recall.value, 58 / 60, 1e-12);
  near(density.value, 0.5566666666666666, 1e-12);
  near(coverage.value, 46 / 60, 1e-12);
});

test('the kernel discrepancies are those of the whole matrices', () => {
  near(discrepancy(x, y, cubic).value, 0.5359811402389545, 1e-12);
  near(discrepancy(x, y, inverseMultiquadric).value, 0.037108977513509854, 1e-12);
});

test('the parts of the KL are those of the whole matrix of densities, and add up', () => {
  const [n, w] = [7, 3];
  const each = (f: (i: number, j: number) => number) =>
    Float32Array.from({ length: n * w }, (_, at) => f(Math.floor(at / w), at % w));
  const mean = each((i, j) => Math.sin(1 + i * 1.7 + j));
  const logVar = each((i, j) => -1 + 0.5 * Math.cos(i + 2 * j));
  const z = each(
    (i, j) =>
      Math.sin(1 + i * 1.7 + j) + Math.exp((-1 + 0.5 * Math.cos(i + 2 * j)) / 2) * Math.sin(3 * i + j + 1),
  );
  const q = { count: n, width: w, mean, logVar };
  const kl = Float64Array.from({ length: n }, (_, i) => {
    let sum = 0;
    for (let j = i * w; j < (i + 1) * w; j++)
      sum += 0.5 * (mean[j]! ** 2 + Math.exp(logVar[j]!) - logVar[j]! - 1);
    return sum;
  });
  const parts = decomposition(densities(q, z), kl, true);
  near(parts.mutualInformation.value, 1.1957761943758205, 1e-6);
  near(parts.mutualInformationAtMost.value, 1.8508569811862334, 1e-6);
  near(parts.marginalKl.value, 0.14222401718829275, 1e-6);
  near(parts.totalCorrelation.value, 0.6190644198133398, 1e-6);
  near(parts.dimensionWiseKl!.value, -0.4768404026250472, 1e-6);
  near(logAggregate(q, z)[2]!, -2.7855113405807312, 1e-6);
  const { mutualInformation, totalCorrelation, dimensionWiseKl } = parts;
  const whole = kl.reduce((a, b) => a + b, 0) / n;
  near(mutualInformation.value + totalCorrelation.value + dimensionWiseKl!.value, whole, 1e-12);
  assert.equal(decomposition(densities(q, z), kl, false).dimensionWiseKl, undefined);
});

test('eigenvalues and vectors make the matrix again', () => {
  const n = 9;
  const at = (i: number, j: number) => Math.cos(i * j + 1) + Math.cos(i * j + i + j);
  const a = Float64Array.from({ length: n * n }, (_, k) => at(Math.floor(k / n), k % n));
  const eigen = eigenSymmetric(a, n);
  for (const [k, v] of functionOf(eigen, (v) => v).entries()) near(v, a[k]!, 1e-12);
  assert.deepEqual(
    [...eigen.values].sort((p, q) => q - p),
    [...eigen.values],
  );
  const turned = Float64Array.from(
    { length: n * n },
    (_, k) => eigen.vectors[(k % n) * n + Math.floor(k / n)]!,
  );
  for (const [k, v] of product(turned, eigen.vectors, n).entries()) near(v, Number(k % (n + 1) === 0), 1e-12);
});

test('principal components find the plane that the points lie in', () => {
  const d = 30;
  const low = points(80, 2, 0, 1);
  const axis = (k: number, j: number) => Math.cos((k + 1) * j);
  const data = Float64Array.from({ length: 80 * d }, (_, at) => {
    const [i, j] = [Math.floor(at / d), at % d];
    return 5 + 3 * low.data[2 * i]! * axis(0, j) + low.data[2 * i + 1]! * axis(1, j);
  });
  const set = pointsOf(data, d);
  const found = principalComponents(set, 2);
  near(found.shares[0]! + found.shares[1]!, 1, 1e-12);
  assert.ok(found.shares[0]! > found.shares[1]!);
  const inPlane = project(set, found);
  const distance = (p: typeof set, i: number, k: number) => {
    let sum = 0;
    for (let j = 0; j < p.width; j++) sum += (p.data[i * p.width + j]! - p.data[k * p.width + j]!) ** 2;
    return sum;
  };
  for (const [i, k] of [
    [0, 1],
    [3, 70],
    [12, 40],
  ] as const)
    near(distance(inPlane, i, k), distance(set, i, k), 1e-9);
  near(
    (inPlane.data as Float64Array).reduce((a, b) => a + b, 0),
    0,
    1e-9,
  );
});
