/** The distance of two sets of points as Gaussians see it. */
import { around, type Estimate, moments } from './estimate.ts';
import { centred, covariance, meanPoint, type Points } from './points.ts';
import { eigenSymmetric, functionOf, product } from './symmetric.ts';

/**
 * |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁Σ₂)^½), the squared Wasserstein distance of the Gaussians with the points' moments
 * (Dowson & Landau 1982; over features of a network: Heusel et al. 2017). It is biased upward where points are
 * few. The interval is of first order, from the influence of each point.
 */
export function frechetDistance(a: Points, b: Points): Estimate {
  const n = a.width;
  const [first, second] = [momentsOf(a), momentsOf(b)];
  const shift = first.mean.map((v, j) => v - second.mean[j]!);
  const root = functionOf(eigenSymmetric(first.covariance, n), rootOf);
  const inner = eigenSymmetric(product(product(root, second.covariance, n), root, n), n);
  const trace = (m: Float64Array) => {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += m[j * n + j]!;
    return sum;
  };
  const cross = inner.values.reduce((sum, v) => sum + rootOf(v), 0);
  const distance = shift.reduce((sum, v) => sum + v * v, 0);
  const value = Math.max(0, distance + trace(first.covariance) + trace(second.covariance) - 2 * cross);
  const maps = transports(root, inner, n);
  const variance =
    influence(a, first.mean, shift, maps.forth) +
    influence(
      b,
      second.mean,
      shift.map((v) => -v),
      maps.back,
    );
  const { low, high } = around(value, Math.sqrt(variance));
  return { value, low: Math.max(0, low), high };
}

const rootOf = (v: number): number => Math.sqrt(Math.max(0, v));

const momentsOf = (points: Points) => ({ mean: meanPoint(points), covariance: covariance(points) });

/**
 * The linear maps that carry each Gaussian onto the other: Σ₁^−½ (Σ₁^½ Σ₂ Σ₁^½)^½ Σ₁^−½ and its inverse
 * (Olkin & Pukelsheim 1982), pseudo-inverses where a direction has no variance.
 */
function transports(root: Float64Array, inner: ReturnType<typeof eigenSymmetric>, n: number) {
  const least = 1e-10 * Math.max(...inner.values, Number.MIN_VALUE);
  const inverse = (v: number) => (v > least ? 1 / Math.sqrt(v) : 0);
  const back = product(product(root, functionOf(inner, inverse), n), root, n); // N₂ → N₁
  const eigen = eigenSymmetric(back, n);
  const most = Math.max(...eigen.values, Number.MIN_VALUE);
  return { back, forth: functionOf(eigen, (v) => (v > 1e-6 * most ? 1 / v : 0)) };
}

/**
 * The share of the distance's variance that comes from `points`: each moves the distance by
 * 2 shift·(x − μ) + (x − μ)ᵀ(I − T)(x − μ), with T the map from these points' Gaussian to the other.
 */
function influence(points: Points, mean: Float64Array, shift: Float64Array, map: Float64Array): number {
  const { count, width, data } = centred(points, mean);
  const all = moments();
  for (let i = 0; i < count; i++) {
    const x = data.subarray(i * width, (i + 1) * width);
    let sum = 0;
    for (let j = 0; j < width; j++) {
      let mapped = 0;
      for (let k = 0; k < width; k++) mapped += map[j * width + k]! * x[k]!;
      sum += x[j]! * (2 * shift[j]! + x[j]! - mapped);
    }
    all.add(sum);
  }
  return all.variance() / count;
}
