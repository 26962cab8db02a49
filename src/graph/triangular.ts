/** Triangular systems of equations. */
import { div, mul, neg, sub } from './elementwise.ts';
import { matmul } from './matmul.ts';
import { concat, slice, transposeLast } from './move.ts';
import { dimAt, fixed } from './shape.ts';
import { constant, describe, type Tensor, withGradient } from './tensor.ts';

/**
 * x [N, n, m] with L x = b, or Lᵀ x = b where `transposed`, for lower triangular L [N, n, n] and b [N, n, m], by substitution
 * (Golub & Van Loan 2013, algorithm 3.1.3). What is above the diagonal of L is not read.
 */
export function solveLower(l: Tensor, b: Tensor, transposed = false): Tensor {
  const n = fixed(dimAt(l.shape, -1), 'solveLower');
  if (l.shape.length !== 3 || b.shape.length !== 3 || l.shape[1] !== n || b.shape[1] !== n)
    throw new Error(`solveLower of ${describe(l)} and ${describe(b)}: expected [N, n, n] and [N, n, m]`);
  return withGradient([l, b], transposed ? upwards(l, b, n) : downwards(l, b, n), (dx, x) => {
    const db = solveLower(l, dx, !transposed);
    const dl = matmul(transposed ? x : db, transposeLast(transposed ? db : x));
    return [neg(mul(dl, lowerOnes(n))), db];
  });
}

/** Each unknown in turn, and what it adds taken from the rows below. */
function downwards(l: Tensor, b: Tensor, n: number): Tensor {
  let rest = b;
  const found: Tensor[] = [];
  for (let i = 0; i < n; i++) {
    const column = slice(l, 2, i, i + 1); // [N, n, 1]
    const x = div(slice(rest, 1, 0, 1), slice(column, 1, i, i + 1));
    found.push(x);
    if (i + 1 < n) rest = sub(slice(rest, 1, 1, n - i), mul(slice(column, 1, i + 1, n), x));
  }
  return concat(found, 1);
}

/** The same with Lᵀ, from the last unknown up. */
function upwards(l: Tensor, b: Tensor, n: number): Tensor {
  const columns = transposeLast(l);
  let rest = b;
  const found: Tensor[] = [];
  for (let i = n - 1; i >= 0; i--) {
    const column = slice(columns, 2, i, i + 1);
    const x = div(slice(rest, 1, i, i + 1), slice(column, 1, i, i + 1));
    found.unshift(x);
    if (i > 0) rest = sub(slice(rest, 1, 0, i), mul(slice(column, 1, 0, i), x));
  }
  return concat(found, 1);
}

/** [1, n, n] of ones on and below the diagonal. */
function lowerOnes(n: number): Tensor {
  const ones = Array.from({ length: n * n }, (_, k) => Number(k % n <= Math.floor(k / n)));
  return constant(ones, [1, n, n]);
}
