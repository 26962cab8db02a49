/** Covariances, full or diagonal, as packed numbers: the lower triangle row by row, or the diagonal alone. */

/** What can be done with such numbers; those of one matrix start at `from`. */
export interface CovarianceForm {
  /** Numbers of a D × D matrix. */
  readonly size: (d: number) => number;
  /** Where the diagonal element i is. */
  readonly diagonal: (i: number) => number;
  /** L of Σ = L Lᵀ; undefined where Σ is not positive definite. */
  readonly root: (sigma: Float64Array, d: number) => Float64Array | undefined;
  /** v becomes L⁻¹ v. */
  readonly solve: (root: Float64Array, from: number, v: Float64Array) => void;
  /** v becomes L v. */
  readonly apply: (root: Float64Array, from: number, v: Float64Array) => void;
  /** Adds weight · v vᵀ. */
  readonly addSquare: (sums: Float64Array, from: number, v: Float64Array, weight: number) => void;
}

export type Covariance = 'full' | 'diagonal';

/** Cholesky's L, from the lower triangle of a symmetric matrix. */
function cholesky(sigma: Float64Array, d: number): Float64Array | undefined {
  const root = sigma.slice();
  for (let i = 0, row = 0; i < d; row += ++i) {
    for (let j = 0, other = 0; j <= i; other += ++j) {
      let left = root[row + j]!;
      for (let k = 0; k < j; k++) left -= root[row + k]! * root[other + k]!;
      if (i > j) root[row + j] = left / root[other + j]!;
      else if (left > 0) root[row + j] = Math.sqrt(left);
      else return undefined;
    }
  }
  return root;
}

const full: CovarianceForm = {
  size: (d) => (d * (d + 1)) / 2,
  diagonal: (i) => (i * (i + 3)) / 2,
  root: cholesky,
  solve: (root, from, v) => {
    for (let i = 0, row = from; i < v.length; row += ++i) {
      let left = v[i]!;
      for (let j = 0; j < i; j++) left -= root[row + j]! * v[j]!;
      v[i] = left / root[row + i]!;
    }
  },
  apply: (root, from, v) => {
    for (let i = v.length - 1; i >= 0; i--) {
      const row = from + (i * (i + 1)) / 2;
      let sum = 0;
      for (let j = 0; j <= i; j++) sum += root[row + j]! * v[j]!;
      v[i] = sum;
    }
  },
  addSquare: (sums, from, v, weight) => {
    for (let i = 0, row = from; i < v.length; row += ++i) {
      const scaled = weight * v[i]!;
      for (let j = 0; j <= i; j++) sums[row + j]! += scaled * v[j]!;
    }
  },
};

const diagonal: CovarianceForm = {
  size: (d) => d,
  diagonal: (i) => i,
  root: (sigma) => (sigma.every((v) => v > 0) ? sigma.map(Math.sqrt) : undefined),
  solve: (root, from, v) => {
    for (let i = 0; i < v.length; i++) v[i]! /= root[from + i]!;
  },
  apply: (root, from, v) => {
    for (let i = 0; i < v.length; i++) v[i]! *= root[from + i]!;
  },
  addSquare: (sums, from, v, weight) => {
    for (let i = 0; i < v.length; i++) sums[from + i]! += weight * v[i]! ** 2;
  },
};

export const covariances: Readonly<Record<Covariance, CovarianceForm>> = { full, diagonal };
