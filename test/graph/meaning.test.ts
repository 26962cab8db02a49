/** Ops that are made of others mean what they say, gradients where they are a choice, and how contributions join. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as g from '../../src/graph/index.ts';
import { checkGradient, draw, random } from '../check.ts';
import { evaluate, type Value, value } from '../reference.ts';

const show = (v: Value | undefined): unknown[] => [v!.shape, [...v!.data].map((x) => Math.fround(x))];
const at = (y: g.Tensor, feeds: Record<string, Value>): unknown[] => show(evaluate([y], feeds)[0]);

describe('values', () => {
  const x = g.input('x', [2, 3]);
  const feeds = { x: value([1, 2, 3, 4, 5, 6], [2, 3]) };
  const indices = g.input('i', [2], 'int64');
  const i = value([2, 0], [2], 'int64');
  const cases: Record<string, [g.Tensor, unknown[]]> = {
    slice: [
      g.slice(x, 1, 1, 3),
      [
        [2, 2],
        [2, 3, 5, 6],
      ],
    ],
    split: [
      g.split(x, -1, [1, 2])[1]!,
      [
        [2, 2],
        [2, 3, 5, 6],
      ],
    ],
    pad: [
      g.pad(x, 0, 1, 0, 7),
      [
        [3, 3],
        [7, 7, 7, 1, 2, 3, 4, 5, 6],
      ],
    ],
    transpose: [
      g.transpose(x),
      [
        [3, 2],
        [1, 4, 2, 5, 3, 6],
      ],
    ],
    'unsqueeze at the end': [
      g.unsqueeze(x, [-1]),
      [
        [2, 3, 1],
        [1, 2, 3, 4, 5, 6],
      ],
    ],
    'unsqueeze twice': [
      g.unsqueeze(x, [0, 2]),
      [
        [1, 2, 1, 3],
        [1, 2, 3, 4, 5, 6],
      ],
    ],
    mean: [g.mean(x, [0]), [[3], [2.5, 3.5, 4.5]]],
    logSumExp: [g.logSumExp(g.log(x)), [[2], [6, 15].map((v) => Math.fround(Math.log(v)))]],
    sumLog: [g.sumLog(g.div(x, 8)), [[2], [6 / 512, 120 / 512].map((v) => Math.fround(Math.log(v)))]],
    softmax: [g.softmax(g.log(x), 0), [[2, 3], [1 / 5, 2 / 7, 1 / 3, 4 / 5, 5 / 7, 2 / 3].map(Math.fround)]],
    'running sum': [
      g.cumulativeSum(x, 1, { exclusive: true, reverse: true }),
      [
        [2, 3],
        [5, 3, 0, 11, 6, 0],
      ],
    ],
    gather: [
      g.gather(x, indices, 1),
      [
        [2, 2],
        [3, 1, 6, 4],
      ],
    ],
    scatterAdd: [
      g.scatterAdd([4, 3], indices, x),
      [
        [4, 3],
        [4, 5, 6, 0, 0, 0, 1, 2, 3, 0, 0, 0],
      ],
    ],
    oneHot: [
      g.oneHot(indices, 3),
      [
        [2, 3],
        [0, 0, 1, 1, 0, 0],
      ],
    ],
    gatherKnown: [
      g.gatherKnown(g.reshape(x, [1, 2, 3]), [1, -1]),
      [
        [1, 2, 3],
        [4, 5, 6, 0, 0, 0],
      ],
    ],
    scatterKnown: [
      g.scatterKnown(g.reshape(x, [1, 2, 3]), [1, 1], 2),
      [
        [1, 2, 3],
        [0, 0, 0, 5, 7, 9],
      ],
    ],
    columnSums: [g.columnSums(x), [[3], [5, 7, 9]]],
    affine: [
      g.affine(x, g.constant([1, 0, 1], [3, 1]), g.constant([10], [1])),
      [
        [2, 1],
        [14, 20],
      ],
    ],
    upsampleNearest: [
      g.upsampleNearest(g.reshape(x, [1, 3, 2]), 2),
      [
        [1, 6, 2],
        [1, 2, 1, 2, 3, 4, 3, 4, 5, 6, 5, 6],
      ],
    ],
    averagePool: [g.averagePool(g.reshape(g.slice(x, 1, 0, 2), [1, 2, 2, 1]), 2), [[1, 1, 1, 1], [3]]],
    gelu: [
      g.gelu(g.slice(x, 0, 0, 1)),
      [[1, 3], [0.8413447460685429, 1.9544997361036416, 2.9959503].map(Math.fround)],
    ],
  };
  for (const [name, [y, expected]] of Object.entries(cases)) {
    test(name, () => {
      const [shape, data] = at(y, { ...feeds, i }) as [number[], number[]];
      assert.deepEqual(shape, expected[0]);
      data.forEach((v, k) => {
        assert.ok(Math.abs(v - (expected[1] as number[])[k]!) < 3e-7, `${data}`);
      });
    });
  }

  test('layerNorm and groupNorm leave mean 0 and variance 1 in what they normalise over', () => {
    const picture = g.input('p', ['B', 2, 3, 4]);
    const fed = { p: draw(picture, 2, random(1)) };
    const [one, zero] = [g.constant([1, 1, 1, 1], [4]), g.constant([0, 0, 0, 0], [4])];
    const layer = g.layerNorm(picture, one, zero, 1e-12);
    const grouped = g.reshape(g.groupNorm(picture, 2, one, zero, 1e-12), ['B', 6, 2, 2]);
    for (const [y, axes] of [
      [layer, [-1]],
      [grouped, [1, 3]],
    ] as const) {
      const [means, squares] = evaluate([g.mean(y, axes), g.mean(g.square(y), axes)], fed);
      assert.ok(means!.data.every((m) => Math.abs(m) < 1e-12));
      assert.ok(squares!.data.every((s) => Math.abs(s - 1) < 1e-9));
    }
  });
});

describe('gradients that are a choice', () => {
  const x = g.input('x', [3]);
  const dx = (y: g.Tensor): g.Tensor => g.gradients(g.sum(y), [x])[0]!;
  const cases: Record<string, [g.Tensor, number[], number[]]> = {
    'ties of max share': [g.max(x), [2, 1, 2], [0.5, 0, 0.5]],
    'maximum gives ties to a': [g.maximum(x, g.mul(2, g.stopGradient(x))), [0, 1, -1], [1, 0, 1]],
    'minimum gives ties to a': [g.minimum(x, 1), [1, 2, 0], [1, 0, 1]],
    'clip: none where it cuts': [g.clip(x, -1, 1), [-2, 1, 2], [0, 1, 0]],
    'relu: none at 0': [g.relu(x), [0, -1, 1], [0, 0, 1]],
    'elu: smooth at 0': [g.elu(x), [0, -1, 1], [1, Math.fround(Math.exp(-1)), 1]],
    'x⁰ and its derivative at 0': [g.add(g.pow(x, 0), g.pow(x, 1)), [0, 1, -1], [1, 1, 1]],
    'none through stopGradient': [g.mul(g.stopGradient(x), x), [3, 4, 5], [3, 4, 5]],
  };
  for (const [name, [y, given, expected]] of Object.entries(cases))
    test(name, () => assert.deepEqual(at(dx(y), { x: value(given, [3]) })[1], expected));
});

describe('slices of one tensor', () => {
  const slices = (parts: readonly (readonly [number, number])[]) => (x: g.Tensor) =>
    parts
      .map(([start, end], i) => g.sum(g.square(g.mul(g.slice(x, 1, start, end), i + 1))))
      .reduce((a, b) => g.add(a, b));
  const arrangements: Record<string, [number, number][]> = {
    'that tile it': [
      [0, 1],
      [1, 3],
      [3, 4],
    ],
    'out of order': [
      [3, 4],
      [0, 1],
      [1, 3],
    ],
    'that overlap, as long as it together': [
      [0, 1],
      [0, 2],
      [3, 4],
    ],
    'twice the same': [
      [0, 2],
      [0, 2],
    ],
    'that end early': [
      [0, 1],
      [1, 3],
    ],
    'that begin late': [
      [1, 3],
      [3, 4],
    ],
    'with a gap': [
      [0, 1],
      [3, 4],
    ],
    'and all of it': [
      [0, 2],
      [2, 4],
      [0, 4],
    ],
  };
  for (const [name, parts] of Object.entries(arrangements))
    test(name, () => checkGradient(slices(parts), [{ shape: ['B', 4] }]));

  test('along two axes', () => {
    const both = (x: g.Tensor) => g.add(g.sum(g.sin(g.slice(x, 0, 0, 1))), g.sum(g.exp(g.slice(x, 1, 1, 2))));
    checkGradient(both, [{ shape: [2, 2] }]);
  });

  test('are joined, not padded and added, where they tile', () => {
    const x = g.input('x', ['B', 4]);
    const opsOf = (parts: [number, number][]): string[] =>
      g.topological([g.gradients(slices(parts)(x), [x])[0]!], (t) => t.inputs).map((t) => t.op);
    for (const name of ['that tile it', 'out of order']) {
      const ops = opsOf(arrangements[name]!);
      assert.ok(ops.includes('Concat') && !ops.includes('Pad'), name);
    }
  });
});

describe('gradients that are still broadcast', () => {
  const cases: Record<string, [(...xs: g.Tensor[]) => g.Tensor, g.Shape[]]> = {
    'a mean of a broadcast sum': [
      (x, y) => g.mean(g.add(x!, y!)),
      [
        [1, 3],
        ['B', 3],
      ],
    ],
    'a column': [
      (x, y) => g.mean(g.sub(x!, y!)),
      [
        ['B', 1],
        ['B', 3],
      ],
    ],
    'a scalar of a column': [(x, y) => g.mean(g.add(x!, y!)), [[], ['B', 1]]],
    'a shorter operand': [(x, y) => g.mean(g.add(x!, g.softplus(y!))), [[3], ['B', 2, 3]]],
    'through alias, clip and where': [
      (x, y) => g.mean(g.where(g.greater(y!, 0), g.clip(g.log1p(x!), -9, 9), y!)),
      [
        [1, 3],
        ['B', 3],
      ],
    ],
    'of two forms, added': [
      (x) => g.add(g.mean(x!), g.add(g.sum(g.square(g.mean(x!, [0]))), g.sum(g.square(g.mean(x!, [1]))))),
      [['B', 3]],
    ],
    'a reduction of a reduction': [
      (x) => g.mean(g.square(g.sum(g.mean(x!, [1], { keepDims: true }), [0]))),
      [['B', 2, 3]],
    ],
    'into a product': [
      (x, w) => g.mean(g.matmul(x!, w!)),
      [
        ['B', 2, 3],
        [3, 4],
      ],
    ],
    'into an expansion': [
      (x, y) => g.mean(g.expand(x!, ['B', 2, 3], y)),
      [
        [2, 1],
        ['B', 2, 3],
      ],
    ],
    'pairs of a batch': [
      (x, y) =>
        g.mean(
          g.logSumExp(g.neg(g.sum(g.square(g.sub(g.unsqueeze(x!, [1]), g.unsqueeze(y!, [0]))), [2])), 1),
        ),
      [
        ['B', 3],
        ['B', 3],
      ],
    ],
  };
  for (const [name, [build, shapes]] of Object.entries(cases)) {
    const inputs = shapes.map((shape) => ({ shape, range: [-0.5, 2] as const }));
    test(name, () => {
      for (const batch of [1, 2, 5]) checkGradient(build, inputs, { batch });
    });
  }
});

test('what solves a triangular system is its solution, whatever is above the diagonal', () => {
  const [l, b] = [g.input('l', ['B', 3, 3]), g.input('b', ['B', 3, 2])];
  const next = random(6);
  const feeds = { l: draw({ shape: l.shape, range: [1, 2] }, 2, next), b: draw({ shape: b.shape }, 2, next) };
  const lower = g.mul(l, g.constant([1, 0, 0, 1, 1, 0, 1, 1, 1], [3, 3]));
  const back = [
    g.matmul(lower, g.solveLower(l, b)),
    g.matmul(g.transposeLast(lower), g.solveLower(l, b, true)),
  ];
  for (const found of evaluate(back, feeds))
    found.data.forEach((v, i) => {
      assert.ok(Math.abs(v - feeds.b.data[i]!) < 1e-12, `${v} at ${i}, expected ${feeds.b.data[i]}`);
    });
});
