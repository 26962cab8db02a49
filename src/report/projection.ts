/** Latent codes in the plane: the codes themselves where there are two dimensions, else their principal components. */
import { pointsOf, principalComponents, project as projectPoints } from '../metrics/index.ts';
import type { Scatter } from './data.ts';

/** Places for `count` codes of `size` dimensions, row by row. */
export function project(codes: Float32Array, count: number, size: number): Omit<Scatter, 'colour'> {
  const pick = (j: number) => Array.from({ length: count }, (_, i) => (j < size ? codes[i * size + j]! : 0));
  if (size <= 2) return { x: pick(0), y: pick(1), xLabel: 'z₁', yLabel: size === 2 ? 'z₂' : '' };
  const points = pointsOf(codes.subarray(0, count * size), size);
  const found = principalComponents(points, 2);
  const { data, width } = projectPoints(points, found);
  const along = (k: number) =>
    Array.from({ length: count }, (_, i) => (k < width ? data[i * width + k]! : 0));
  const label = (k: number) =>
    `principal component ${k + 1} (${(100 * (found.shares[k] ?? 0)).toFixed(0)} % of the variance)`;
  return { x: along(0), y: along(1), xLabel: label(0), yLabel: label(1) };
}
