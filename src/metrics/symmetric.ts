/** Eigenvalues of symmetric matrices and functions of them. */

export interface Eigen {
  /** Largest first. */
  readonly values: Float64Array;
  /** Column k belongs to value k: [n, n], row-major. */
  readonly vectors: Float64Array;
}

const SWEEPS = 60;

/** The cyclic Jacobi method (Golub & Van Loan 2013, section 8.5): every rotation makes one pair of entries zero. */
export function eigenSymmetric(matrix: Float64Array, n: number): Eigen {
  const a = matrix.slice();
  const v = identity(n);
  const scale = Math.hypot(...diagonalOf(a, n)) || 1;
  for (let sweep = 0; sweep < SWEEPS && offDiagonal(a, n) > 1e-15 * scale; sweep++)
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, v, n, p, q);
  return sorted(diagonalOf(a, n), v, n);
}

const diagonalOf = (a: Float64Array, n: number): Float64Array =>
  Float64Array.from({ length: n }, (_, i) => a[i * n + i]!);

function identity(n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) out[i * n + i] = 1;
  return out;
}

/** Root of the sum of squares above the diagonal. */
function offDiagonal(a: Float64Array, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) sum += a[i * n + j]! ** 2;
  return Math.sqrt(sum);
}

/** A ← JᵀAJ, V ← (Vᵀ kept by rows) JᵀV with the rotation J that makes A[p, q] zero. */
function rotate(a: Float64Array, v: Float64Array, n: number, p: number, q: number): void {
  const apq = a[p * n + q]!;
  if (apq === 0) return;
  const tau = (a[q * n + q]! - a[p * n + p]!) / (2 * apq);
  const t = Math.sign(tau || 1) / (Math.abs(tau) + Math.hypot(1, tau));
  const c = 1 / Math.hypot(1, t);
  const s = t * c;
  for (let k = 0; k < n; k++) {
    const [kp, kq] = [a[k * n + p]!, a[k * n + q]!];
    a[k * n + p] = c * kp - s * kq;
    a[k * n + q] = s * kp + c * kq;
  }
  turnRows(a, n, p, q, c, s);
  turnRows(v, n, p, q, c, s);
}

function turnRows(m: Float64Array, n: number, p: number, q: number, c: number, s: number): void {
  for (let k = 0; k < n; k++) {
    const [pk, qk] = [m[p * n + k]!, m[q * n + k]!];
    m[p * n + k] = c * pk - s * qk;
    m[q * n + k] = s * pk + c * qk;
  }
}

/** From eigenvectors in rows to eigenvectors in columns. */
function sorted(values: Float64Array, rows: Float64Array, n: number): Eigen {
  const order = Array.from({ length: n }, (_, k) => k).sort((i, j) => values[j]! - values[i]!);
  const vectors = new Float64Array(n * n);
  order.forEach((from, k) => {
    for (let i = 0; i < n; i++) vectors[i * n + k] = rows[from * n + i]!;
  });
  return { values: Float64Array.from(order, (k) => values[k]!), vectors };
}

/** V f(Λ) Vᵀ: a function of a symmetric matrix. */
export function functionOf({ values, vectors }: Eigen, f: (value: number) => number): Float64Array {
  const n = values.length;
  const out = new Float64Array(n * n);
  for (let k = 0; k < n; k++) {
    const scale = f(values[k]!);
    if (scale === 0) continue;
    for (let i = 0; i < n; i++) {
      const left = scale * vectors[i * n + k]!;
      for (let j = 0; j < n; j++) out[i * n + j]! += left * vectors[j * n + k]!;
    }
  }
  return out;
}

/** Product of two n × n matrices. */
export function product(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < n; k++) {
      const scale = a[i * n + k]!;
      for (let j = 0; j < n; j++) out[i * n + j]! += scale * b[k * n + j]!;
    }
  return out;
}
