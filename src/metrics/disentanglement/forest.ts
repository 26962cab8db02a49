/** Bagged regression trees on binned inputs (Breiman 1996, 2001): what is predicted, and how much each input had to do with it. */
import { stream, variates } from '../../random/index.ts';
import { type Classes, type Coded, codeOf } from './factors.ts';

const TREES = 10;
const BINS = 32;
const DEEPEST = 12;
const LEAST = 10; // rows of a leaf

/** Targets [n, outputs]: an amount, or one-hot classes; squared error of the latter is the Gini impurity. */
export interface Targets {
  readonly outputs: number;
  readonly data: Float64Array;
}

export interface Forest {
  /** Of all decrease of the squared error the share at each input; zeros where there is none. */
  readonly importance: Float64Array;
  /** [outputs] for row i of the data that it was grown on. */
  readonly predict: (row: number) => Float64Array;
}

type Tree =
  | { readonly mean: Float64Array }
  | { readonly input: number; readonly below: number; readonly left: Tree; readonly right: Tree };

interface Ground {
  readonly inputs: readonly Classes[];
  readonly targets: Targets;
  readonly importance: Float64Array;
}

/** Grows trees on these rows of the data, each on as many drawn with replacement; all inputs compete at each split. */
export function growForest(data: Coded, targets: Targets, rows: Int32Array): Forest {
  const inputs = Array.from({ length: data.width }, (_, j) => inEqualBins(codeOf(data, j)));
  const importance = new Float64Array(data.width);
  const { uniform } = variates(stream(0, 'forest'));
  const trees = Array.from({ length: TREES }, () => {
    const own = rows.map(() => rows[Math.floor(rows.length * uniform())]!);
    return grow({ inputs, targets, importance }, own, 0);
  });
  const total = importance.reduce((a, b) => a + b, 0);
  return {
    importance: importance.map((v) => (total > 0 ? v / total : 0)),
    predict: (row) => {
      const sum = new Float64Array(targets.outputs);
      for (const tree of trees) {
        const own = leafOf(tree, inputs, row);
        for (let c = 0; c < sum.length; c++) sum[c]! += own[c]! / TREES;
      }
      return sum;
    },
  };
}

/** About as many rows in each class, equal values together. */
function inEqualBins(values: Float64Array): Classes {
  const sorted = Float64Array.from(values).sort();
  const edges = [
    ...new Set(
      Array.from({ length: BINS - 1 }, (_, b) => sorted[Math.floor(((b + 1) * sorted.length) / BINS)]!),
    ),
  ];
  const of = Int32Array.from(values, (v) => edges.filter((edge) => v >= edge).length);
  return { size: edges.length + 1, of };
}

function leafOf(tree: Tree, inputs: readonly Classes[], row: number): Float64Array {
  let at = tree;
  while (!('mean' in at)) at = inputs[at.input]!.of[row]! < at.below ? at.left : at.right;
  return at.mean;
}

function grow(ground: Ground, rows: Int32Array, depth: number): Tree {
  const { targets, importance, inputs } = ground;
  const { outputs, data } = targets;
  const sum = new Float64Array(outputs);
  for (const row of rows) for (let c = 0; c < outputs; c++) sum[c]! += data[row * outputs + c]!;
  const leaf = { mean: sum.map((s) => s / rows.length) };
  if (depth >= DEEPEST || rows.length < 2 * LEAST) return leaf;
  const split = bestSplit(ground, rows, sum);
  if (!split) return leaf;
  const { input, below, gain } = split;
  importance[input]! += gain;
  const [left, right] = parted(rows, inputs[input]!.of, below);
  return { input, below, left: grow(ground, left, depth + 1), right: grow(ground, right, depth + 1) };
}

/** Rows whose class is below, and the others. */
function parted(rows: Int32Array, of: Int32Array, below: number): [Int32Array, Int32Array] {
  const out = new Int32Array(rows.length);
  let [left, right] = [0, rows.length];
  for (const row of rows) out[of[row]! < below ? left++ : --right] = row;
  return [out.subarray(0, left), out.subarray(left)];
}

/** The split with the largest decrease Σ |left sum|²/left + |right sum|²/right − |sum|²/all, if there is any. */
function bestSplit({ inputs, targets: { outputs, data } }: Ground, rows: Int32Array, sum: Float64Array) {
  const whole = squares(sum) / rows.length;
  let best = { input: -1, below: 0, gain: 1e-9 * (1 + whole) };
  inputs.forEach(({ size, of }, input) => {
    const counts = new Int32Array(size);
    const sums = new Float64Array(size * outputs);
    for (const row of rows) {
      const bin = of[row]!;
      counts[bin]!++;
      for (let c = 0, to = bin * outputs, from = row * outputs; c < outputs; c++)
        sums[to++]! += data[from++]!;
    }
    const left = new Float64Array(outputs);
    for (let below = 1, n = 0; below < size; below++) {
      n += counts[below - 1]!;
      for (let c = 0; c < outputs; c++) left[c]! += sums[(below - 1) * outputs + c]!;
      if (n < LEAST || rows.length - n < LEAST) continue;
      const gain = squares(left) / n + squaresOfRest(sum, left) / (rows.length - n) - whole;
      if (gain > best.gain) best = { input, below, gain };
    }
  });
  return best.input < 0 ? undefined : best;
}

const squares = (v: Float64Array): number => {
  let sum = 0;
  for (const x of v) sum += x * x;
  return sum;
};

function squaresOfRest(whole: Float64Array, part: Float64Array): number {
  let sum = 0;
  for (let c = 0; c < whole.length; c++) sum += (whole[c]! - part[c]!) ** 2;
  return sum;
}
