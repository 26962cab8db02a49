/** The maximum mean discrepancy: whether two sets of points come from one distribution, by a kernel. */
import { around, type Estimate } from './estimate.ts';
import { squaredDistance } from './neighbours.ts';
import type { Points } from './points.ts';

export type Kernel = (a: Points, i: number, b: Points, j: number) => number;

/** (xᵀy/d + 1)³, as in the kernel inception distance (Bińkowski et al. 2018), over whatever features. */
export const cubic: Kernel = (a, i, b, j) => {
  const { width } = a;
  let dot = 0;
  for (let k = 0; k < width; k++) dot += a.data[i * width + k]! * b.data[j * width + k]!;
  return (dot / width + 1) ** 3;
};

/** 2d/(2d + |x − y|²): inverse multiquadric of the width that fits N(0, I) (Tolstikhin et al. 2018). */
export const inverseMultiquadric: Kernel = (a, i, b, j) =>
  (2 * a.width) / (2 * a.width + squaredDistance(a, i, b, j));

/**
 * The unbiased estimate of MMD² from as many points of each, Σ_{i≠j} h(i, j) / (n(n − 1)) with
 * h = k(xᵢ, xⱼ) + k(yᵢ, yⱼ) − k(xᵢ, yⱼ) − k(xⱼ, yᵢ) (Gretton et al. 2012, lemma 6). Its variance is that of a U-statistic,
 * 4(n − 2)/(n(n − 1)) ζ₁ + 2/(n(n − 1)) ζ₂ (Serfling 1980, section 5.2.1), right also where the distributions are one. Below 0 where chance
 * makes it so.
 */
export function discrepancy(a: Points, b: Points, kernel: Kernel): Estimate {
  const n = Math.min(a.count, b.count);
  const rows = new Float64Array(n);
  let squares = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++) {
      const h = kernel(a, i, a, j) + kernel(b, i, b, j) - kernel(a, i, b, j) - kernel(a, j, b, i);
      rows[i]! += h;
      rows[j]! += h;
      squares += h * h;
    }
  const pairs = n * (n - 1);
  const value = rows.reduce((sum, v) => sum + v, 0) / pairs;
  const second = (2 * squares) / pairs - value ** 2;
  const spread = rows.reduce((sum, v) => sum + (v / (n - 1) - value) ** 2, 0) / (n - 1);
  const first = Math.max(0, spread - (second - spread) / (n - 1)); // a mean of n − 1 has noise of its own
  return around(value, Math.sqrt((4 * (n - 2) * first + 2 * second) / pairs));
}
