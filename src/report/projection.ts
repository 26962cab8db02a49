/** Latent codes in the plane: the codes themselves where there are two dimensions, else their principal components. */
import type { Scatter } from './data.ts';

/** Places for `count` codes of `size` dimensions, row by row. */
export function project(codes: Float32Array, count: number, size: number): Omit<Scatter, 'colour'> {
  const pick = (j: number) => Array.from({ length: count }, (_, i) => (j < size ? codes[i * size + j]! : 0));
  if (size <= 2) return { x: pick(0), y: pick(1), xLabel: 'z₁', yLabel: size === 2 ? 'z₂' : '' };
  const { axes, shares } = principalAxes(centred(codes, count, size), count, size);
  const along = (axis: Float64Array) =>
    Array.from({ length: count }, (_, i) => axis.reduce((sum, a, j) => sum + a * codes[i * size + j]!, 0));
  const label = (k: number) =>
    `principal component ${k + 1} (${(100 * shares[k]!).toFixed(0)} % of the variance)`;
  return { x: along(axes[0]!), y: along(axes[1]!), xLabel: label(0), yLabel: label(1) };
}

function centred(codes: Float32Array, count: number, size: number): Float64Array {
  const out = Float64Array.from(codes.subarray(0, count * size));
  for (let j = 0; j < size; j++) {
    let mean = 0;
    for (let i = 0; i < count; i++) mean += out[i * size + j]! / count;
    for (let i = 0; i < count; i++) out[i * size + j]! -= mean;
  }
  return out;
}

/** The first two by power iteration on rows · v, never forming the covariance; shares of the whole variance. */
function principalAxes(rows: Float64Array, count: number, size: number) {
  const total = rows.reduce((sum, v) => sum + v * v, 0) || 1;
  const axes: Float64Array[] = [];
  const shares: number[] = [];
  for (let k = 0; k < 2; k++) {
    let axis = orthonormal(
      Float64Array.from({ length: size }, (_, j) => Math.cos(1 + j * (k + 1))),
      axes,
    );
    let variance = 0;
    for (let step = 0; step < 200; step++) {
      const next = scatterTimes(rows, axis, count, size);
      const grown = Math.hypot(...next);
      axis = orthonormal(next, axes);
      if (Math.abs(grown - variance) <= 1e-9 * grown) break;
      variance = grown;
    }
    axes.push(signed(axis));
    shares.push(variance / total);
  }
  return { axes, shares };
}

/** Rowsᵀ · (rows · v). */
function scatterTimes(
  rows: Float64Array,
  v: Float64Array,
  count: number,
  size: number,
): Float64Array<ArrayBuffer> {
  const out = new Float64Array(size);
  for (let i = 0; i < count; i++) {
    let dot = 0;
    for (let j = 0; j < size; j++) dot += rows[i * size + j]! * v[j]!;
    for (let j = 0; j < size; j++) out[j]! += dot * rows[i * size + j]!;
  }
  return out;
}

function orthonormal(v: Float64Array<ArrayBuffer>, axes: readonly Float64Array[]): Float64Array<ArrayBuffer> {
  for (const axis of axes) {
    const dot = axis.reduce((sum, a, j) => sum + a * v[j]!, 0);
    for (let j = 0; j < v.length; j++) v[j]! -= dot * axis[j]!;
  }
  const length = Math.hypot(...v) || 1;
  return v.map((a) => a / length);
}

/** The largest entry is positive: the same picture in every run. */
function signed(axis: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const largest = axis.reduce((best, a) => (Math.abs(a) > Math.abs(best) ? a : best), 0);
  return largest < 0 ? axis.map((a) => -a) : axis;
}
