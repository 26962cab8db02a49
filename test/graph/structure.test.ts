/** What is written: deep graphs, no dead code, shared subexpressions, names, and errors when the graph is built. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import * as g from '../../src/graph/index.ts';
import { type GraphProto, ModelProtoSchema } from '../../src/graph/proto/onnx_pb.ts';
import { evaluate, value } from '../reference.ts';
import { type Outputs, runOnce } from './ort.ts';

const decode = (outputs: Outputs, options?: g.OnnxOptions): GraphProto =>
  fromBinary(ModelProtoSchema, g.toOnnx(outputs, options)).graph!;

const count = (graph: GraphProto, op: string): number => graph.node.filter((n) => n.opType === op).length;

describe('deep graphs', () => {
  test('10,000 nodes in a chain differentiate, emit and evaluate', () => {
    const x = g.input('x', ['B', 2]);
    const p = g.input('p', [2]);
    let y = x;
    for (let i = 0; i < 1200; i++) y = g.sub(g.mul(g.softplus(y), p), 0.5);
    const [dp] = g.gradients(g.mean(y), [p]);
    const graph = decode({ dp: dp! });
    assert.ok(graph.node.length > 10_000, `${graph.node.length} nodes`);
    const feeds = { x: value([0, 1, 2, 3], [2, 2]), p: value([0.9, 0.5], [2]) };
    assert.ok(evaluate([dp!], feeds)[0]!.data.every(Number.isFinite));
  });

  test('a deep tower of aliases and of shared nodes is visited once', () => {
    const x = g.input('x', []);
    let y = x;
    for (let i = 0; i < 2000; i++) y = g.mul(g.stopGradient(y), g.add(y, y));
    const graph = decode({ dx: g.gradients(y, [x])[0]! });
    assert.ok(graph.node.length < 40_000);
  });
});

describe('what is written', () => {
  const x = g.input('x', ['B', 3]);
  const w = g.input('layer.weight', [3, 2]);

  test('is what the outputs need', () => {
    const unused = g.exp(g.matmul(x, w));
    const graph = decode({ y: g.neg(x) });
    assert.deepEqual(
      graph.node.map((n) => n.opType),
      ['Neg'],
    );
    assert.deepEqual(
      graph.input.map((i) => i.name),
      ['x'],
    );
    assert.equal(unused.shape.length, 2);
  });

  test('has no gradient that was not asked for', () => {
    const y = g.mean(g.tanh(g.matmul(x, w)));
    assert.equal(count(decode({ y }), 'MatMul'), 1);
    assert.equal(count(decode({ y, dw: g.gradients(y, [w])[0]! }), 'MatMul'), 2);
    assert.equal(count(decode({ y, dw: g.gradients(y, [w])[0]!, dx: g.gradients(y, [x])[0]! }), 'MatMul'), 3);
  });

  test('has each distinct value once', () => {
    const twice = () => g.mul(g.exp(g.add(x, 1)), 2);
    const graph = decode({ y: g.sub(twice(), g.reshape(g.reshape(twice(), ['3*B']), ['B', 3])) });
    for (const op of ['Exp', 'Add', 'Mul', 'Sub']) assert.equal(count(graph, op), 1, op);
    assert.equal(graph.initializer.length, 2 + 0);
  });

  test('takes large constants for equal only if all their bytes are', () => {
    const large = (last: number) => g.constant([...Array<number>(999).fill(1), last], [1000]);
    const sums = [large(1), large(1), large(2), large(-0), large(0)].map((c) => g.sum(c));
    const graph = decode(Object.fromEntries(sums.map((t, i) => [`y${i}`, t])));
    assert.equal(graph.initializer.filter((i) => i.dims[0] === 1000n).length, 4);
  });

  test('shares nothing that differs in an attribute', async () => {
    const outputs = {
      a: g.cumulativeSum(x, 1),
      b: g.cumulativeSum(x, 1, { reverse: true }),
      c: g.leakyRelu(x, 0.1),
      d: g.leakyRelu(x, 0.2),
    };
    const run = await runOnce(outputs, { x: value([-1, 0, 2], [1, 3]) });
    assert.deepEqual([...run.a!.data, ...run.b!.data], [-1, -1, 1, 1, 2, 2]);
    assert.ok(Math.abs(run.c!.data[0]! + 0.1) < 1e-6 && Math.abs(run.d!.data[0]! + 0.2) < 1e-6);
  });

  test('gives one value under several names, an input and a constant too', async () => {
    const y = g.exp(x);
    const run = await runOnce(
      { a: y, b: y, c: g.exp(x), d: x, e: g.scalar(3) },
      { x: value([0, 1, 2], [1, 3]) },
    );
    assert.deepEqual(run.a!.data, run.b!.data);
    assert.deepEqual(run.a!.data, run.c!.data);
    assert.deepEqual([...run.d!.data, ...run.e!.data], [0, 1, 2, 3]);
  });

  test('bakes weights in and leaves the rest as inputs', async () => {
    const weights = { 'layer.weight': Float32Array.of(1, 2, 3, 4, 5, 6) };
    const graph = decode({ y: g.matmul(x, w) }, { weights, description: 'a test' });
    assert.deepEqual(
      graph.input.map((i) => i.name),
      ['x'],
    );
    assert.equal(graph.docString, 'a test');
    assert.throws(
      () => g.toOnnx({ y: w }, { weights: { 'layer.weight': Float32Array.of(1) } }),
      /layer\.weight: 1 values given for shape \[3, 2\]/,
    );
  });

  test('carries the path of the layer', () => {
    const layer = (h: g.Tensor, name: string, n: number) =>
      g.gemm(h, g.input(`${name}.weight`, [g.dimAt(h.shape, 1) as number, n]), g.input(`${name}.bias`, [n]));
    const h = g.tanh(layer(x, 'encoder.0', 4));
    const y = g.sigmoid(g.gemm(layer(h, 'encoder.1', 5), g.transpose(g.input('decoder.weight', [2, 5]))));
    const names = decode({ loss: g.mean(y) }).node.map((n) => n.name);
    const patterns = [
      /^encoder\.0\/Gemm_\d+$/,
      /^encoder\.0\/Tanh_\d+$/,
      /^encoder\.1\/Gemm_\d+$/,
      /^decoder\/Transpose_\d+$/,
      /^decoder\/Gemm_\d+$/,
      /^decoder\/Sigmoid_\d+$/,
      /^decoder\/loss$/,
    ];
    assert.equal(names.length, patterns.length, names.join(' '));
    for (const [i, pattern] of patterns.entries()) assert.match(names[i]!, pattern);
  });
});

describe('errors when the graph is built', () => {
  const x = g.input('x', ['B', 3]);
  const picture = g.input('picture', ['B', 4, 4, 3]);
  const weight = (...shape: g.Shape) => g.input('encoder.0.weight', shape);
  const cases: Record<string, [() => unknown, RegExp]> = {
    add: [() => g.add(x, weight(4)), /Add of \[B, 3\] \(from x\) and \[4\] \(from encoder\.0\.weight\)/],
    'batch against a number': [() => g.add(x, weight(5, 3)), /\[B, 3\].*\[5, 3\].*do not broadcast/],
    'two types': [() => g.add(x, g.input('i', [3], 'int64')), /\[B, 3\].*\(from i\).*float32 and int64/],
    where: [() => g.where(g.greater(x, 0), weight(2), 0), /\[B, 3\].*\[2\] \(from encoder\.0\.weight\)/],
    matmul: [() => g.matmul(x, weight(4, 2)), /\[B, 3\] \(from x\) · \[4, 2\] \(from encoder\.0\.weight\)/],
    gemm: [() => g.gemm(x, weight(4, 2)), /\[B, 3\] \(from x\), \[4, 2\] \(from encoder\.0\.weight\)/],
    'gemm bias': [
      () => g.gemm(x, weight(3, 2), g.input('encoder.0.bias', [3])),
      /\[3\] \(from encoder\.0\.bias\)/,
    ],
    reshape: [() => g.reshape(x, ['B', 4]), /\[B, 3\] \(from x\) to \[B, 4\]/],
    'reshape of B × B': [() => g.reshape(g.matmul(x, g.transpose(x)), ['B']), /B × B/],
    transpose: [() => g.transpose(x, [0]), /\[B, 3\] \(from x\): \[0\]/],
    unsqueeze: [() => g.unsqueeze(x, [4]), /axis 4/],
    slice: [() => g.slice(x, 1, 1, 4), /1:4 along axis 1 of \[B, 3\] \(from x\)/],
    split: [() => g.split(x, 1, [1, 1]), /\[B, 3\] \(from x\) into 1,1/],
    concat: [() => g.concat([x, weight(2, 3)], 1), /\[B, 3\] \(from x\) and \[2, 3\] \(from encoder/],
    'concat of the batch and a number': [
      () => g.concat([x, weight(2, 3)], 0),
      /2 cannot be joined to a batch/,
    ],
    expand: [() => g.expand(x, ['B', 1]), /\[B, 3\] \(from x\) to \[B, 1\]/],
    'expand to another size': [() => g.expand(weight(3), ['B', 4], x), /\[3\].*\[B, 4\]/],
    axis: [() => g.sum(x, [2]), /axis 2 does not exist in \[B, 3\]/],
    conv: [
      () => g.conv(picture, weight(9, 8), undefined, [3, 3]),
      /\[B, 4, 4, 3\] \(from picture\) with \[9, 8\] \(from encoder\.0\.weight\): expected a weight \[27, 8\]/,
    ],
    'conv kernel': [() => g.conv(picture, weight(9, 8), undefined, [3]), /\[3\].*each space axis/],
    'conv bias': [
      () => g.conv(picture, weight(27, 8), g.input('encoder.0.bias', [4]), [3, 3]),
      /expected a bias \[8\], given \[4\] \(from encoder\.0\.bias\)/,
    ],
    'conv groups': [
      () => g.conv(picture, weight(9, 8), undefined, [3, 3], { groups: 2 }),
      /2 groups.*3 channels/,
    ],
    'conv too large': [() => g.conv(picture, weight(75, 8), undefined, [5, 5]), /result would be \[0, 0\]/],
    convTranspose: [
      () => g.convTranspose(picture, weight(18, 4), undefined, [3, 3]),
      /picture.*encoder\.0\.weight\): expected a weight \[18, 3\]/,
    ],
    pool: [() => g.averagePool(picture, 3), /\[B, 4, 4, 3\] \(from picture\): the window 3/],
    groupNorm: [() => g.groupNorm(picture, 2, weight(3), weight(3)), /2 groups do not divide 3 channels/],
    'loss that is no scalar': [() => g.gradients(x, [x]), /scalar.*\[B,3\]/],
    'missing gradient': [
      () => g.gradients(g.sum(g.node('Mystery', [x], x.shape, undefined)), [x]),
      /no gradient for Mystery yet/,
    ],
    'constant of another size': [() => g.constant([1, 2], [3]), /2 values given for shape \[3\]/],
    'two inputs of one name': [
      () => g.toOnnx({ y: g.mul(weight(3), g.sum(weight(4))) }),
      /encoder\.0\.weight: float32 \[3\] and float32 \[4\]/,
    ],
    'an output named as an input': [() => g.toOnnx({ x: g.exp(x) }), /the name x/],
  };
  for (const [name, [build, message]] of Object.entries(cases))
    test(name, () => assert.throws(build, message));
});

test('a gradient of an intermediate value, of the loss itself and of what does not matter', () => {
  const x = g.input('x', [2]);
  const unused = g.input('unused', ['B', 2]);
  const h = g.mul(x, 3);
  const loss = g.sum(g.square(h));
  const [dh, dLoss, dUnused, dx] = g.gradients(loss, [h, loss, unused, x]);
  const feeds = { x: value([1, 2], [2]), unused: value([0, 0, 0, 0], [2, 2]) };
  const values = evaluate([dh!, dLoss!, dUnused!, dx!], feeds).map((v) => [...v.data]);
  assert.deepEqual(values, [[6, 12], [1], [0, 0, 0, 0], [18, 36]]);
});
