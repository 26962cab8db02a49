/** The graphs of a causal transformer over symbols: to train it, to weigh whole rows, to go on with a row. */
import {
  add,
  affine,
  gather,
  gradients,
  input,
  logSoftmax,
  matmul,
  mul,
  neg,
  oneHot,
  pad,
  reshape,
  slice,
  sum,
  type Tensor,
  toInteger,
} from '../graph/index.ts';
import { type CausalOptions, causalTransformer, leCunUniform, parameters, type Scope } from '../nn/index.ts';
import { gradientName, type Outputs, type TrainingGraph } from '../vae/index.ts';

export interface TransformerOptions extends CausalOptions {
  readonly width: number;
  /** Symbols of a row, N. */
  readonly length: number;
  /** Symbols there are, K. */
  readonly entries: number;
}

/** Rows of symbols, as floats. */
const rowsOf = ({ length }: TransformerOptions): Tensor => input('x', ['B', length]);

/** What is known at each place from the symbols before it, [B, N, W]. */
function states(scope: Scope, x: Tensor, o: TransformerOptions): Tensor {
  const { width, length, entries } = o;
  const table = scope.parameter('symbols', [entries, width], leCunUniform(width));
  const own = gather(table, toInteger(x)); // [B, N, W]
  const before = length > 1 ? pad(slice(own, 1, 0, length - 1), 1, 1, 0) : mul(own, 0);
  const places = scope.parameter('places', [length, width], leCunUniform(width));
  return causalTransformer(scope.at('layers'), add(before, places), o);
}

const weightOf = (scope: Scope, { width, entries }: TransformerOptions): Tensor =>
  scope.parameter('weight', [width, entries], leCunUniform(width));

/** Each place has symbols that it favours. */
const biasOf = (scope: Scope, { length, entries, width }: TransformerOptions): Tensor =>
  scope.parameter('bias', [length, entries], leCunUniform(width));

/** log p of every row, [B]. */
function logProb(scope: Scope, o: TransformerOptions): Tensor {
  const x = rowsOf(o);
  const logits = add(affine(states(scope, x, o), weightOf(scope, o)), biasOf(scope, o)); // [B, N, K]
  return sum(mul(oneHot(toInteger(x), o.entries), logSoftmax(logits)), [1, 2]);
}

/** x, scale → `loss` −log p(x), a mean over the batch, and its gradients. */
export function transformerTraining(o: TransformerOptions): TrainingGraph {
  const declared = parameters();
  const loss = neg(mul(sum(logProb(declared.root, o)), input('scale', [])));
  const all = declared.all();
  const slopes = gradients(
    loss,
    all.map((p) => p.tensor),
  );
  const named = all.map((p, i) => [gradientName(p.name), slopes[i]!] as const);
  return {
    outputs: { loss, ...Object.fromEntries(named) },
    parameters: all,
    updated: new Set(),
    reported: ['loss'],
  };
}

/** x → `logProb` [B]. */
export const transformerDensity = (o: TransformerOptions): Outputs => ({
  logProb: logProb(parameters().root, o),
});

/** x, of which only the symbols before a place count, and `at` [1, N], 1 there and 0 elsewhere → `logits` [B, K] of what comes there. */
export function transformerNext(o: TransformerOptions): Outputs {
  const { root } = parameters();
  const at = input('at', [1, o.length]);
  const here = reshape(matmul(at, states(root, rowsOf(o), o)), ['B', o.width]);
  return { logits: add(affine(here, weightOf(root, o)), matmul(at, biasOf(root, o))) };
}
