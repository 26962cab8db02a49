/** Ops at extreme inputs, in float32 through ONNX Runtime: right where the plain formula overflows, and never NaN. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  elu,
  gradients,
  input,
  log1p,
  logSigmoid,
  logSoftmax,
  logSumExp,
  mul,
  sigmoid,
  silu,
  softmax,
  softplus,
  sub,
  sum,
  type Tensor,
  tanh,
} from '../../src/graph/index.ts';
import { value } from '../reference.ts';
import { runOnce } from './ort.ts';

const logits = [-1e4, -100, -30, -20, -10, -1, -1e-3, -1e-7, 0, 1e-7, 1e-3, 0.5, 1, 10, 20, 30, 100, 1e4];

const exact = {
  softplus: (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  sigmoid: (x: number) => 1 / (1 + Math.exp(-x)),
};

interface Elementwise {
  readonly op: (x: Tensor) => Tensor;
  readonly f: (x: number) => number;
  readonly derivative: (x: number) => number;
  readonly points?: readonly number[];
}

/** Also: every elementwise op that is made of others computes what its name says. */
const elementwise: Record<string, Elementwise> = {
  softplus: { op: softplus, f: exact.softplus, derivative: exact.sigmoid },
  logSigmoid: { op: logSigmoid, f: (x) => -exact.softplus(-x), derivative: (x) => exact.sigmoid(-x) },
  sigmoid: { op: sigmoid, f: exact.sigmoid, derivative: (x) => exact.sigmoid(x) * exact.sigmoid(-x) },
  tanh: { op: tanh, f: Math.tanh, derivative: (x) => 1 - Math.tanh(x) ** 2 },
  elu: { op: elu, f: (x) => (x > 0 ? x : Math.expm1(x)), derivative: (x) => (x > 0 ? 1 : Math.exp(x)) },
  'elu, α = 0.5': {
    op: (x) => elu(x, 0.5),
    f: (x) => (x > 0 ? x : 0.5 * Math.expm1(x)),
    derivative: (x) => (x > 0 ? 1 : 0.5 * Math.exp(x)),
  },
  silu: {
    op: silu,
    f: (x) => x * exact.sigmoid(x),
    derivative: (x) => exact.sigmoid(x) * (1 + x * exact.sigmoid(-x)),
  },
  log1p: {
    op: log1p,
    f: Math.log1p,
    derivative: (x) => 1 / (1 + x),
    points: [-0.999, -0.5, -1e-3, -1e-7, -1e-20, 0, 1e-20, 1e-8, 1e-7, 1e-3, 1, 100, 1e4, 1e30],
  },
  ...Object.fromEntries(
    [0, 0.25, 1].map((x): [string, Elementwise] => [
      `Bernoulli log-likelihood of ${x}`,
      {
        op: (l) => sub(mul(x, l), softplus(l)),
        f: (l) => (x - 1) * Math.max(l, 0) + x * Math.min(l, 0) - exact.softplus(-Math.abs(l)),
        derivative: (l) => x - exact.sigmoid(l),
      },
    ]),
  ),
};

/** To float32 rounding of the exact value; `relative` also where that is tiny. */
function expectNear(actual: number, expected: number, what: string, relative = false): void {
  const tolerance = 4e-7 * Math.max(relative ? 0 : 1, Math.abs(expected));
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual}, expected ${expected}`);
}

describe('elementwise', () => {
  for (const [name, { op, f, derivative, points = logits }] of Object.entries(elementwise)) {
    test(name, async () => {
      const x = input('x', ['B']);
      const y = op(x);
      const given = points.map(Math.fround);
      const dx = gradients(sum(y), [x])[0]!;
      const run = await runOnce({ y, dx }, { x: value(given, [points.length]) });
      given.forEach((at, i) => {
        expectNear(run.y!.data[i]!, f(at), `value at ${at}`, name === 'log1p');
        expectNear(run.dx!.data[i]!, derivative(at), `derivative at ${at}`);
      });
    });
  }
});

const rows = [
  [1e4, -1e4, 0],
  [1e4, 1e4, 1e4],
  [-1e4, -1e4, -1e4 - 1],
  [100, -100, 99],
  [0, 0, 0],
  [-3e38, -3e38, -3e38],
].map((row) => row.map(Math.fround));

test('logSumExp, softmax and logSoftmax of far-apart and of huge numbers', async () => {
  const x = input('x', ['B', 3]);
  const outputs = { y: logSumExp(x), p: softmax(x), logP: logSoftmax(x) };
  const dx = gradients(sum(outputs.y), [x])[0]!;
  const dLogP = gradients(sum(mul(outputs.logP, softmax(x))), [x])[0]!; // minus the entropy's gradient
  const run = await runOnce({ ...outputs, dx, dLogP }, { x: value(rows.flat(), [rows.length, 3]) });
  rows.forEach((row, i) => {
    const largest = Math.max(...row);
    const above = Math.log(row.reduce((s, v) => s + Math.exp(v - largest), 0));
    expectNear(run.y!.data[i]!, largest + above, `logSumExp of ${row}`);
    row.forEach((v, j) => {
      const logP = v - largest - above;
      expectNear(run.logP!.data[3 * i + j]!, logP, `logSoftmax of ${row}`);
      expectNear(run.p!.data[3 * i + j]!, Math.exp(logP), `softmax of ${row}`);
      expectNear(run.dx!.data[3 * i + j]!, Math.exp(logP), `gradient of logSumExp of ${row}`);
      assert.ok(Number.isFinite(run.dLogP!.data[3 * i + j]!), `gradient of logSoftmax of ${row}`);
    });
  });
});

test('−∞ takes no part in a logSumExp', async () => {
  const x = input('x', ['B', 2]);
  const y = logSumExp(x);
  const dx = gradients(sum(y), [x])[0]!;
  const run = await runOnce({ y, dx }, { x: value([-Infinity, 0, -Infinity, -5], [2, 2]) });
  assert.deepEqual([...run.y!.data], [0, -5]);
  assert.deepEqual([...run.dx!.data], [0, 1, 0, 1]);
});
