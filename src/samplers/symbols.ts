/**
 * The graphs of a law over rows of symbols, p(s) = Π p(sₙ | s₁ … sₙ₋₁), whatever network tells what is known of each place:
 * to train it, to weigh whole rows, to go on with a row.
 */
import {
  add,
  affine,
  input,
  logSoftmax,
  matmul,
  mul,
  oneHot,
  reshape,
  sum,
  type Tensor,
  toInteger,
} from '../graph/index.ts';
import { constantly, leCunUniform, parameters, type Scope } from '../nn/index.ts';
import type { Outputs, TrainingGraph } from '../vae/index.ts';
import { maximumLikelihood, rowsInput } from './learning.ts';

export interface SymbolForm {
  /** Symbols of a row, N. */
  readonly length: number;
  /** Symbols there are, K. */
  readonly entries: number;
  /** Features of what is given with every row, where something is. */
  readonly given?: number;
}

/** Features of what is known of a place. */
export const KNOWN = 64;

/** What is known at each place from the symbols before it and what is given, [B, N, KNOWN]; x [B, N]. */
export type Known = (scope: Scope, x: Tensor, form: SymbolForm) => Tensor;

/** Rows of symbols, as floats. */
const rowsOf = ({ length }: SymbolForm): Tensor => rowsInput({ width: length });

/** The symbols' own weights are the same at every place; how often each comes there is not. */
const weightOf = (scope: Scope, { entries }: SymbolForm): Tensor =>
  scope.parameter('weight', [KNOWN, entries], leCunUniform(KNOWN));
const biasOf = (scope: Scope, { length, entries }: SymbolForm): Tensor =>
  scope.parameter('bias', [length, entries], constantly(0));

/** log p of every row, [B]. */
function logProb(scope: Scope, known: Known, form: SymbolForm): Tensor {
  const x = rowsOf(form);
  const logits = add(affine(known(scope, x, form), weightOf(scope, form)), biasOf(scope, form)); // [B, N, K]
  return sum(mul(oneHot(toInteger(x), form.entries), logSoftmax(logits)), [1, 2]);
}

/** x, scale → `loss` −log p(x), a mean over the batch, and its gradients. */
export function symbolTraining(known: Known, form: SymbolForm): TrainingGraph {
  const declared = parameters();
  return maximumLikelihood(declared, logProb(declared.root, known, form));
}

/** x → `logProb` [B]. */
export const symbolDensity = (known: Known, form: SymbolForm): Outputs => ({
  logProb: logProb(parameters().root, known, form),
});

/** x, of which only the symbols before a place count, and `at` [1, N], 1 there and 0 elsewhere → `logits` [B, K] of what comes there. */
export function nextSymbol(known: Known, form: SymbolForm): Outputs {
  const { root } = parameters();
  const at = input('at', [1, form.length]);
  const here = reshape(matmul(at, known(root, rowsOf(form), form)), ['B', KNOWN]);
  return { logits: add(affine(here, weightOf(root, form)), matmul(at, biasOf(root, form))) };
}
