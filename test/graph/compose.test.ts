/** Random programs of ops: whatever is composed, gradients, shapes and ONNX Runtime agree with the reference. */
import { test } from 'node:test';
import fc from 'fast-check';
import type { Shape, Tensor } from '../../src/graph/index.ts';
import * as g from '../../src/graph/index.ts';
import { checkGradients, draw, random } from '../check.ts';
import { compile, type Feeds } from '../reference.ts';
import { expectClose, runOnce } from './ort.ts';

/** Takes the next of the numbers that make the program, below n. */
type Choose = (n: number) => number;

const parameters: readonly Shape[] = [['B', 3], [3], ['B', 1], [1, 3], [], ['B', 2, 3], [2, 1], ['2*B', 3]];

const bounded = (x: Tensor): Tensor => g.tanh(x); // keeps long programs in range

const rank = (x: Tensor): number => x.shape.length;
const someAxes = (x: Tensor, choose: Choose): number[] => [...x.shape.keys()].filter(() => choose(2) === 0);
const fixedAxes = (x: Tensor): number[] =>
  [...x.shape.keys()].filter((i) => typeof x.shape[i] === 'number' && x.shape[i] !== 1);

const binaries = [g.add, g.sub, g.mul, g.maximum, (a: Tensor, b: Tensor) => g.div(a, g.add(2, g.square(b)))];
const unaries = [
  g.tanh,
  g.sin,
  g.softplus,
  g.square,
  g.neg,
  (x: Tensor) => g.relu(g.add(x, 0.3)),
  g.gelu,
  g.elu,
];

/** Ops that take any tensor; where one does not fit, the tensor itself. */
const steps: readonly ((x: Tensor, others: readonly Tensor[], choose: Choose) => Tensor)[] = [
  (x, others, choose) => {
    const [y, op] = [others[choose(others.length)]!, binaries[choose(binaries.length)]!];
    try {
      return op(x, y);
    } catch {
      return x; // shapes do not broadcast
    }
  },
  (x, _, choose) => unaries[choose(unaries.length)]!(x),
  (x, _, choose) => g.sum(x, someAxes(x, choose), { keepDims: choose(2) === 0 }),
  (x, _, choose) => g.mean(x, someAxes(x, choose), { keepDims: choose(2) === 0 }),
  (x, _, choose) => g.max(x, someAxes(x, choose), { keepDims: choose(2) === 0 }),
  (x, _, choose) => (rank(x) ? [g.softmax, g.logSumExp, g.logSoftmax][choose(3)]!(x, choose(rank(x))) : x),
  (x, _, choose) => (rank(x) ? g.cumulativeSum(x, choose(rank(x))) : x),
  (x, _, choose) => g.unsqueeze(x, [choose(rank(x) + 1)]),
  (x) =>
    g.reshape(
      x,
      x.shape.filter((d) => d !== 1),
    ),
  (x) =>
    rank(x) === 3 && x.shape[0] === 'B' ? g.reshape(x, [g.multiply('B', x.shape[1]!), x.shape[2]!]) : x,
  (x) => g.transpose(x),
  (x, _, choose) => {
    const axis = fixedAxes(x)[choose(9) % 2];
    if (axis === undefined) return x;
    const n = x.shape[axis] as number;
    const pieces = g.split(x, axis, [1, n - 1]);
    return [
      pieces[0]!,
      g.concat(pieces.toReversed(), axis),
      g.concat([pieces[1]!, x], axis),
      g.pad(pieces[1]!, axis, 1, 0),
    ][choose(4)]!;
  },
  (x, _, choose) => {
    const axis = fixedAxes(x)[0];
    if (axis === undefined) return x;
    const [a, b] = g.split(x, axis, [1, (x.shape[axis] as number) - 1]) as [Tensor, Tensor];
    return choose(2) ? g.mul(a, b) : g.concat([g.sin(a), bounded(b)], axis); // gradients that tile x
  },
  (x, others, choose) => {
    const like = others[choose(others.length)]!;
    try {
      return g.expand(x, like.shape, like);
    } catch {
      return x;
    }
  },
  (x, others, choose) => {
    try {
      return g.where(g.greater(x, 0.1), others[choose(others.length)]!, 0.5);
    } catch {
      return x;
    }
  },
  (x) => (rank(x) >= 2 && !x.shape.slice(0, -2).includes('B') ? g.matmul(x, g.transposeLast(x)) : x),
  (x) =>
    typeof x.shape.at(-1) === 'number' && rank(x) === 3
      ? g.gatherKnown(x, typeof x.shape[1] === 'number' ? [0, -1, 0] : [])
      : x,
];

/** A program: each number chooses a step, its operands, and their details. */
function build(tape: readonly number[], inputs: readonly Tensor[]): Tensor {
  let at = 0;
  const choose: Choose = (n) => (tape[at++] ?? 0) % n;
  const live = [...inputs];
  while (at < tape.length) {
    const x = live[choose(live.length)]!;
    const y = steps[choose(steps.length)]!(x, live, choose);
    const small = y.shape.length <= 4 && y.shape.filter((d) => typeof d !== 'number').length <= 2;
    if (small && y !== x) live.push(choose(3) ? y : bounded(y));
  }
  const ends = live.slice(-3).map((t, i) => g.mean(i === 0 ? bounded(t) : t));
  return ends.reduce((a, b) => g.add(a, b));
}

async function check(tape: readonly number[], batch: number): Promise<void> {
  const inputs = parameters.map((shape, i) => g.input(`p${i}`, shape));
  const next = random(tape.length);
  const feeds: Feeds = Object.fromEntries(
    inputs.map((x) => [x.name!, draw({ shape: x.shape, range: [-1, 1] }, batch, next)]),
  );
  const loss = build(tape, inputs);
  checkGradients(loss, inputs, feeds);
  const outputs = Object.fromEntries([loss, ...g.gradients(loss, inputs)].map((t, i) => [`y${i}`, t]));
  const expected = compile(Object.values(outputs))(feeds);
  const actual = await runOnce(outputs, feeds);
  expected.forEach((v, i) => {
    expectClose(actual[`y${i}`]!, v, `y${i}`);
  });
}

test('random programs', async () => {
  const tape = fc.array(fc.nat(5039), { minLength: 20, maxLength: 90 });
  await fc.assert(
    fc.asyncProperty(tape, fc.constantFrom(1, 2, 3), (numbers, batch) => check(numbers, batch)),
    { seed: 7, numRuns: 80 },
  );
});
