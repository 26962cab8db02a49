/** Principal components of many features, without their covariance. */
import { stream } from '../random/index.ts';
import { centred, covariance, meanPoint, type Points, times, transposedTimes } from './points.ts';
import { eigenSymmetric } from './symmetric.ts';

/** x ↦ (x − mean) · axes. */
export interface Projection {
  readonly mean: Float64Array;
  /** [width, components], orthonormal columns, largest variance first. */
  readonly axes: Float64Array;
  readonly components: number;
  /** Of the whole variance, by component. */
  readonly shares: readonly number[];
}

const SPARE = 10;
const PASSES = 3;

/**
 * The first components by randomised subspace iteration (Halko et al. 2011, algorithm 4.4): a random subspace is
 * drawn through the data a few times, then the small problem inside it is solved. The largest entry of an axis is positive.
 */
export function principalComponents(points: Points, components: number): Projection {
  const { count, width } = points;
  const kept = Math.min(components, width, count - 1);
  const size = Math.min(width, kept + SPARE);
  const mean = meanPoint(points);
  const x = centred(points, mean);
  let basis = transposedTimes(x, { count, width: size, data: normals(count * size) }); // [width, size]
  for (let pass = 0; pass < PASSES; pass++) {
    orthonormalise(basis);
    basis = transposedTimes(x, times(x, basis.data as Float64Array, size));
  }
  orthonormalise(basis);
  const inside = times(x, basis.data as Float64Array, size);
  const { values, vectors } = eigenSymmetric(covariance(inside), size);
  const some = new Float64Array(size * kept);
  for (let i = 0; i < size; i++) for (let k = 0; k < kept; k++) some[i * kept + k] = vectors[i * size + k]!;
  const axes = signed(times(basis, some, kept));
  const whole = dot(x.data as Float64Array, x.data as Float64Array) / Math.max(1, count - 1) || 1;
  const shares = Array.from(values.subarray(0, kept), (v) => v / whole);
  return { mean, axes, components: kept, shares };
}

/** Axes whose largest entry is positive: the same picture in every run. */
function signed({ count, width, data }: Points): Float64Array {
  for (let c = 0; c < width; c++) {
    let largest = 0;
    for (let i = 0; i < count; i++)
      if (Math.abs(data[i * width + c]!) > Math.abs(largest)) largest = data[i * width + c]!;
    if (largest < 0) for (let i = 0; i < count; i++) data[i * width + c]! *= -1;
  }
  return data as Float64Array;
}

export const project = (points: Points, { mean, axes, components }: Projection): Points =>
  times(centred(points, mean), axes, components);

/** Drawn by a fixed seed: the same components in every run. */
function normals(count: number): Float64Array {
  const out = new Float32Array(count);
  stream(0, 'principal components').normal(out);
  return Float64Array.from(out);
}

/** Gram & Schmidt twice over the columns, in place; a column that vanishes stays zero. */
function orthonormalise({ count, width, data }: Points): void {
  const columns = Array.from({ length: width }, (_, c) =>
    Float64Array.from({ length: count }, (_, i) => data[i * width + c]!),
  );
  columns.forEach((column, c) => {
    const before = norm(column);
    for (let turn = 0; turn < 2; turn++)
      for (let k = 0; k < c; k++) subtract(column, columns[k]!, dot(column, columns[k]!));
    const left = norm(column);
    const scale = left > 1e-12 * before ? 1 / left : 0;
    for (let i = 0; i < count; i++) {
      column[i]! *= scale;
      data[i * width + c] = column[i]!;
    }
  });
}

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};
const norm = (a: Float64Array): number => Math.sqrt(dot(a, a));
const subtract = (a: Float64Array, b: Float64Array, scale: number): void => {
  for (let i = 0; i < a.length; i++) a[i]! -= scale * b[i]!;
};
