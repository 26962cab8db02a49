/** A codebook that follows what is quantised with it by running means, and never has an entry that nothing uses. */
import {
  add,
  argMax,
  columnSums,
  div,
  gather,
  gemm,
  lessOrEqual,
  maximum,
  mean,
  mul,
  oneHot,
  reshape,
  runtimeSize,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  where,
} from '../../graph/index.ts';
import { constantly, noise, type Scope } from '../../nn/index.ts';
import { uniformIndex } from '../codes.ts';

export interface CodebookOptions {
  /** Entries. */
  readonly codes: number;
  /** Of an entry. */
  readonly dim: number;
  /** Of the running means. */
  readonly decay: number;
  /** Entries used less than this part of the average are put where data is. */
  readonly revive: number;
}

/** Nᵢ, how often an entry is used, and mᵢ, the sum of what it is used for: running means both, that no gradient moves. */
interface State {
  readonly counts: Tensor; // [K]
  readonly sums: Tensor; // [K, d]
}

const stateOf = (scope: Scope, { codes, dim }: CodebookOptions): State => ({
  counts: scope.parameter('counts', [codes], constantly(0)),
  sums: scope.parameter('sums', [codes, dim], constantly(0)),
});

const LEAST = 1e-12; // before the first step nothing has been counted, and every entry is 0

/** eᵢ = mᵢ / Nᵢ, [K, d] (van den Oord et al. 2017, appendix A.1). */
export function codebook(scope: Scope, options: CodebookOptions): Tensor {
  const { counts, sums } = stateOf(scope, options);
  return stopGradient(div(sums, maximum(reshape(counts, [options.codes, 1]), LEAST)));
}

/** The entry nearest to each row of x [M, d]: argmin ‖x − e‖² = argmax x·e − ½‖e‖², int64 [M]. */
export const nearest = (x: Tensor, book: Tensor): Tensor =>
  argMax(sub(gemm(x, book, undefined, { transB: true }), mul(0.5, sum(square(book), [-1]))));

/**
 * The state after rows x [M, d] were found nearest to entries `symbols` [M]: N ← γN + (1 − γ) n, m ← γm + (1 − γ) Σ x
 * (van den Oord et al. 2017, appendix A.1). An entry that has fallen out of use becomes a row of x picked at random
 * (Zeghidour et al. 2021, section III-C), counted as if it were used like the average; as nothing is in use at first,
 * the first step makes a codebook of rows.
 */
export function follow(
  scope: Scope,
  x: Tensor,
  symbols: Tensor,
  options: CodebookOptions,
): Record<string, Tensor> {
  const { codes, decay, revive } = options;
  const before = stateOf(scope, options);
  const used = oneHot(symbols, codes); // [M, K]
  const mix = (old: Tensor, now: Tensor) => add(mul(decay, old), mul(1 - decay, now));
  const counts = mix(before.counts, columnSums(used));
  const sums = mix(before.sums, gemm(used, x, undefined, { transA: true }));
  const average = mean(counts, [0], { keepDims: true });
  const idle = lessOrEqual(counts, mul(revive, average));
  const at = uniformIndex(noise(`noise.${scope.path}`, 'uniform', [codes]), runtimeSize(x, 0));
  const picked = mul(gather(x, at), average);
  return {
    [`${scope.path}.counts`]: where(idle, average, counts),
    [`${scope.path}.sums`]: where(reshape(idle, [codes, 1]), picked, sums),
  };
}
