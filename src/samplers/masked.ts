/** The graphs of a masked network over symbols: to train it, to weigh whole rows, to go on with a row. */
import {
  add,
  affine,
  gather,
  gelu,
  input,
  integers,
  logSoftmax,
  matmul,
  mul,
  oneHot,
  reshape,
  sum,
  type Tensor,
  toInteger,
} from '../graph/index.ts';
import { constantly, contextual, leCunUniform, masked, parameters, type Scope } from '../nn/index.ts';
import type { Outputs, TrainingGraph } from '../vae/index.ts';
import { givenInput, maximumLikelihood, rowsInput } from './learning.ts';

export interface MaskedOptions {
  /** Symbols of a row, N. */
  readonly length: number;
  /** Symbols there are, K. */
  readonly entries: number;
  /** Of the hidden layers; made N where it is less, so that every dependence has a unit to go through. */
  readonly width: number;
  readonly layers: number;
  /** Features of what is given with every row, where something is. */
  readonly given?: number;
}

/** Features of a symbol at its place, and of what is known of the next. */
const [SEEN, KNOWN] = [32, 64];

/** Rows of symbols, as floats. */
const rowsOf = ({ length }: MaskedOptions): Tensor => rowsInput({ width: length });

/** Each place's number, as often as it has features. */
const placesOf = (length: number, features: number): number[] =>
  Array.from({ length: length * features }, (_, i) => Math.floor(i / features));

/**
 * What is known at each place from the symbols before it, [B, N, KNOWN]: a masked network (Germain et al. 2015, section 4)
 * over features of each symbol at its place. A unit of degree d is connected to places before d, and to results from d on;
 * all see what is given.
 */
function known(scope: Scope, x: Tensor, o: MaskedOptions): Tensor {
  const { length, entries, width, layers, given } = o;
  const table = scope.parameter('symbols', [length * entries, SEEN], leCunUniform(SEEN));
  const starts = integers(
    Array.from({ length }, (_, n) => n * entries),
    [1, length],
  );
  let h = reshape(gather(table, add(toInteger(x), starts)), ['B', length * SEEN]);
  const size = Math.max(width, length);
  const degrees = Array.from({ length: size }, (_, k) => Math.floor((k * length) / size));
  for (let i = 0; i < layers; i++) {
    const [from, connected] =
      i === 0
        ? [placesOf(length, SEEN), (a: number, b: number) => a < b]
        : [degrees, (a: number, b: number) => a <= b];
    const next = masked(scope.at(i), h, from, degrees, connected);
    const context = i === 0 ? givenInput({ given }) : undefined;
    const seen = context ? add(next, contextual(scope.at('context'), context, size)) : next;
    h = i === 0 ? gelu(seen) : add(h, gelu(seen));
  }
  const last = masked(scope.at('known'), h, degrees, placesOf(length, KNOWN), (a, b) => a <= b);
  return reshape(last, ['B', length, KNOWN]);
}

/** The symbols' own weights are the same at every place; how often each comes there is not. */
const weightOf = (scope: Scope, { entries }: MaskedOptions): Tensor =>
  scope.parameter('weight', [KNOWN, entries], leCunUniform(KNOWN));
const biasOf = (scope: Scope, { length, entries }: MaskedOptions): Tensor =>
  scope.parameter('bias', [length, entries], constantly(0));

/** log p of every row, [B]. */
function logProb(scope: Scope, o: MaskedOptions): Tensor {
  const x = rowsOf(o);
  const logits = add(affine(known(scope, x, o), weightOf(scope, o)), biasOf(scope, o)); // [B, N, K]
  return sum(mul(oneHot(toInteger(x), o.entries), logSoftmax(logits)), [1, 2]);
}

/** x, scale → `loss` −log p(x), a mean over the batch, and its gradients. */
export function maskedTraining(o: MaskedOptions): TrainingGraph {
  const declared = parameters();
  return maximumLikelihood(declared, logProb(declared.root, o));
}

/** x → `logProb` [B]. */
export const maskedDensity = (o: MaskedOptions): Outputs => ({ logProb: logProb(parameters().root, o) });

/** x, of which only the symbols before a place count, and `at` [1, N], 1 there and 0 elsewhere → `logits` [B, K] of what comes there. */
export function maskedNext(o: MaskedOptions): Outputs {
  const { root } = parameters();
  const at = input('at', [1, o.length]);
  const here = reshape(matmul(at, known(root, rowsOf(o), o)), ['B', KNOWN]);
  return { logits: add(affine(here, weightOf(root, o)), matmul(at, biasOf(root, o))) };
}
