/** Every op of the graph with inputs that show what it does. An op without a case does not compile. */

import type { Shape, Tensor } from '../../src/graph/index.ts';
import * as ops from '../../src/graph/index.ts';
import type { Argument } from '../check.ts';
import { convolutions, transposedConvolutions } from './conv-cases.ts';

export interface Case {
  readonly inputs: readonly Argument[];
  readonly build: (...inputs: Tensor[]) => Tensor;
}

/** What `src/graph` exports that is not an op. */
type NotAnOp =
  | 'gradients'
  | 'toOnnx'
  | 'axisOf'
  | 'broadcastShapes'
  | 'dimAt'
  | 'divide'
  | 'fixed'
  | 'isSingle'
  | 'multiply'
  | 'sameShape'
  | 'showShape'
  | 'sizeOf'
  | 'withDim'
  | 'computed'
  | 'constant'
  | 'describe'
  | 'input'
  | 'integers'
  | 'lift'
  | 'node'
  | 'origin'
  | 'scalar'
  | 'topological'
  | 'withGradient';

type Build = Case['build'];
type Range = readonly [number, number];

const of = (build: Build, ...inputs: Argument[]): Case => ({ build, inputs });
const float = (shape: Shape, range: Range = [-2, 2]): Argument => ({ shape, range });
const index = (shape: Shape, end: number): Argument => ({ shape, range: [0, end], dtype: 'int64' });

const pairs: readonly (readonly [Shape, Shape])[] = [
  [
    ['B', 4],
    ['B', 4],
  ],
  [['B', 4], [4]],
  [[4], ['B', 4]],
  [
    ['B', 4],
    ['B', 1],
  ],
  [
    ['B', 1],
    [1, 4],
  ],
  [['B', 4], []],
  [[], ['B', 4]],
  [['B', 1], []],
  [
    [2, 1],
    ['B', 1, 3],
  ],
  [
    ['B', 1, 3],
    [1, 2, 1],
  ],
  [
    ['2*B', 3],
    [1, 3],
  ],
  [[1], [1, 1, 1]],
  [
    [2, 3],
    [2, 3],
  ],
  [
    ['B', 1, 2],
    [1, 'B', 2],
  ],
];

/** Two operands that broadcast in every way, and numbers on either side. */
const binary = (f: (a: Tensor | number, b: Tensor | number) => Tensor, a?: Range, b = a): Case[] => [
  ...pairs.map(([left, right]) => of((x, y) => f(x!, y!), float(left, a), float(right, b))),
  of((x) => f(x!, 1.5), float(['B', 3], a)),
  of((x) => f(1.5, x!), float([3], b)),
];

const unary = (f: (x: Tensor) => Tensor, range?: Range): Case[] => [
  of((x) => f(x!), float(['B', 5], range)),
  of((x) => f(x!), float([], range)),
  of((x) => f(ops.reshape(x!, ['B', 3, 2])), float(['3*B', 2], range)),
];

/** As a float, so that it can be compared and differentiated (to nothing). */
const mask = (f: (a: Tensor | number, b: Tensor | number) => Tensor): Case[] => [
  ...binary((a, b) => ops.toFloat(f(a, b))).slice(-6),
  of((x, y) => f(x!, y!), float(['B', 2]), float(['B', 1])),
  of((x, y) => f(x!, y!), index(['B', 6], 3), index(['B', 1], 3)),
  of((x) => f(x!, 1), index(['B', 6], 3)),
];

const reduction = (f: (x: Tensor, axes?: readonly number[], o?: { keepDims: boolean }) => Tensor): Case[] => [
  of((x) => f(x!), float(['B', 3])),
  of((x) => f(x!, [0]), float(['B', 3])),
  of((x) => f(x!, [-1]), float(['B', 3])),
  of((x) => f(x!, [1, 0]), float(['B', 3, 2])),
  of((x) => f(x!, [2, 0], { keepDims: true }), float(['B', 3, 2])),
  of((x) => f(x!, [1], { keepDims: true }), float([2, 3])),
  of((x) => f(x!, []), float([2, 3])),
  of((x) => f(x!), float([])),
  of((x) => f(x!, [0, 1]), float(['B', 1, 'B'])),
];

const alongAxis = (f: (x: Tensor, axis?: number) => Tensor): Case[] => [
  of((x) => f(x!), float(['B', 4])),
  of((x) => f(x!, 1), float(['B', 4, 3])),
  of((x) => f(x!, 0), float([4, 3])),
  of((x) => f(x!, 0), float(['B', 3])),
  of((x) => f(x!, -2), float(['B', 1, 3])),
];

export const cases: Record<Exclude<keyof typeof ops, NotAnOp>, readonly Case[]> = {
  add: binary(ops.add),
  sub: binary(ops.sub),
  mul: binary(ops.mul),
  div: binary(ops.div, [0.5, 2]),
  maximum: binary(ops.maximum),
  minimum: binary(ops.minimum),
  pow: [
    ...binary((a, b) => ops.pow(ops.lift(a, b), b), [0.3, 2], [-2, 2]),
    ...[-1, 0, 0.5, 1, 2, 3].map((p) => of((x) => ops.pow(x!, p), float(['B', 3], [0.3, 2]))),
    of((x) => ops.pow(x!, 3), float(['B', 3])),
  ],
  neg: unary(ops.neg),
  square: unary(ops.square),
  exp: unary(ops.exp),
  log: unary(ops.log, [0.2, 3]),
  sqrt: unary(ops.sqrt, [0.2, 3]),
  abs: unary(ops.abs),
  sign: unary(ops.sign),
  sin: unary(ops.sin),
  cos: unary(ops.cos),
  tanh: unary(ops.tanh),
  atan: unary(ops.atan),
  sigmoid: unary(ops.sigmoid),
  erf: unary(ops.erf, [-4, 4]),
  positive: unary(ops.positive),
  relu: unary(ops.relu),
  leakyRelu: [...unary(ops.leakyRelu), ...unary((x) => ops.leakyRelu(x, 0.3))],
  elu: [...unary(ops.elu), ...unary((x) => ops.elu(x, 0.5))],
  silu: unary(ops.silu),
  gelu: unary(ops.gelu),
  softplus: unary(ops.softplus, [-6, 6]),
  logSigmoid: unary(ops.logSigmoid, [-6, 6]),
  log1p: unary(ops.log1p, [-0.9, 3]),
  stopGradient: [of((x) => ops.mul(ops.toFloat(ops.greater(ops.stopGradient(x!), 0)), x!), float(['B', 3]))],
  clip: [...unary((x) => ops.clip(x, -1, 0.5)), ...unary((x) => ops.clip(x, -9, 9))],
  equal: mask(ops.equal),
  greater: mask(ops.greater),
  greaterOrEqual: mask(ops.greaterOrEqual),
  less: mask(ops.less),
  lessOrEqual: mask(ops.lessOrEqual),
  toFloat: [of((x) => ops.toFloat(x!), index(['B', 3], 5))],
  toInteger: [of((x) => ops.toInteger(x!), float(['B', 3], [-5, 5]))],
  where: [
    ...binary((a, b) => ops.where(ops.greater(a, b), ops.mul(a, 2), b)),
    of(
      (c, x, y) => ops.where(ops.greater(c!, 0), x!, y!),
      float(['B', 1, 1]),
      float([3]),
      float(['B', 2, 3]),
    ),
    of((c, x) => ops.where(ops.greater(c!, 0), x!, 0), float(['B', 3]), float([3])),
    of((c, x) => ops.where(ops.greater(c!, 0), 1, x!), float([]), float(['B', 3])),
    of((c, x) => ops.where(ops.greater(c!, 0), x!, 0), float(['B', 3]), index([3], 9)),
  ],

  expm1: unary(ops.expm1),
  excess: unary(ops.excess),
  log1mExp: unary(ops.log1mExp, [0.2, 4]),
  logAddExp: [of((a, b) => ops.logAddExp(a!, b!), float(['B', 3]), float([3]))],
  logSinhc: unary(ops.logSinhc),
  langevin: unary(ops.langevin),
  binet: unary(ops.binet, [0.2, 8]),
  logGamma: unary(ops.logGamma, [0.2, 8]),
  digamma: unary(ops.digamma, [0.2, 8]),
  logBeta: [of((a, b) => ops.logBeta(a!, b!), float(['B', 3], [0.2, 8]), float([3], [0.2, 8]))],
  logRising: [of((a, n) => ops.logRising(a!, n!), float(['B', 3], [0.2, 8]), float([3], [0, 8]))],
  digammaRise: [of((a, n) => ops.digammaRise(a!, n!), float(['B', 3], [0.2, 8]), float([3], [0, 8]))],
  logBesselI0: unary(ops.logBesselI0, [0.1, 9]),
  besselRatio: unary(ops.besselRatio, [0.1, 9]),
  logNormalCdf: unary(ops.logNormalCdf, [-4, 4]),
  atan2: [
    of((y, x) => ops.atan2(y!, x!), float(['B', 3]), float(['B', 3])),
    of((y, x) => ops.atan2(y!, x!), float(['B', 3]), float([3], [-2, -0.5])),
  ],

  sum: reduction(ops.sum),
  mean: reduction(ops.mean),
  max: reduction(ops.max),
  argMax: [
    ...alongAxis(ops.argMax),
    of((x) => ops.argMax(ops.toFloat(ops.greater(x!, 0))), float(['B', 5])), // ties
    of((x) => ops.gather(x!, ops.argMax(x!, 1), 0), float([4, 3])),
  ],
  logSumExp: [
    ...alongAxis(ops.logSumExp),
    of((x) => ops.logSumExp(x!, 1, { keepDims: true }), float(['B', 3, 2])),
    of((x) => ops.logSumExp(x!, 1), float(['B', 'B', 2])),
  ],
  sumLog: [
    of((x) => ops.sumLog(x!), float(['B', 6], [0.5, 1])),
    of((x) => ops.sumLog(x!), float([2, 'B', 226], [0.5, 1])), // in two products
    of((x) => ops.sumLog(x!), float(['B', 113], [0.5, 1])), // in none
  ],
  softmax: alongAxis(ops.softmax),
  logSoftmax: alongAxis(ops.logSoftmax),
  cumulativeSum: [false, true].flatMap((exclusive) =>
    [false, true].flatMap((reverse) => [
      of((x) => ops.cumulativeSum(x!, 1, { exclusive, reverse }), float(['B', 4])),
      of((x) => ops.cumulativeSum(x!, -2, { exclusive, reverse }), float(['B', 3, 2])),
      of((x) => ops.cumulativeSum(x!, 0, { exclusive, reverse }), float(['B', 2])),
    ]),
  ),

  reshape: [
    of((x) => ops.reshape(x!, ['B', 6]), float(['B', 2, 3])),
    of((x) => ops.reshape(x!, ['2*B', 3]), float(['B', 2, 3])),
    of((x) => ops.reshape(ops.reshape(x!, ['6*B']), [3, 'B', 2]), float(['B', 2, 3])),
    of((x) => ops.reshape(x!, [4]), float([2, 2])),
    of((x) => ops.reshape(x!, []), float([1, 1])),
    of((x) => ops.reshape(x!, ['B', 'B']), float(['B', 1, 'B'])),
    of((x) => ops.reshape(x!, [2, 2]), index([4], 9)),
  ],
  transpose: [
    of((x) => ops.transpose(x!), float(['B', 2, 3])),
    of((x) => ops.transpose(x!, [1, 2, 0]), float(['B', 2, 3])),
    of((x) => ops.transpose(x!, [0, 1]), float(['B', 2])),
    of((x) => ops.transpose(x!), index(['B', 3], 9)),
  ],
  transposeLast: [
    of((x) => ops.transposeLast(x!), float(['B', 2, 3])),
    of((x) => ops.transposeLast(x!), float(['B', 2])),
  ],
  flatten: [of((x) => ops.flatten(x!), float(['B', 2, 3])), of((x) => ops.flatten(x!), float(['2*B', 3]))],
  unsqueeze: [
    of((x) => ops.unsqueeze(x!, [0, 2]), float(['B', 2])),
    of((x) => ops.unsqueeze(x!, [1]), float(['B', 'B'])),
    of((x) => ops.unsqueeze(x!, [-1]), float(['B', 2])),
    of((x) => ops.unsqueeze(x!, [-1]), index(['B', 2], 4)),
  ],
  slice: [
    of((x) => ops.slice(x!, 1, 1, 3), float(['B', 4])),
    of((x) => ops.slice(x!, -2, 0, 1), float(['B', 3, 2])),
    of((x) => ops.slice(x!, 0, 2, 3), float([3])),
    of((x) => ops.slice(x!, 1, 0, 4), float(['B', 4])),
    of((x) => ops.slice(x!, 0, 0, 1), index(['B', 4], 9)),
  ],
  split: [
    of((x) => ops.mul(...(ops.split(x!, 1, [2, 2]) as [Tensor, Tensor])), float(['B', 4])),
    of((x) => ops.split(x!, 1, [1, 2, 1])[1]!, float(['B', 4])),
    of((x) => ops.concat(ops.split(x!, -1, [1, 3]).reverse(), -1), float(['B', 2, 4])),
  ],
  concat: [
    of((x, y) => ops.concat([x!, y!, x!], 1), float(['B', 2]), float(['B', 3])),
    of((x, y) => ops.concat([x!, y!], -2), float(['B', 1, 2]), float(['B', 2, 2])),
    of((x) => ops.concat([x!], 0), float(['B', 2])),
    of((x, y) => ops.concat([x!, y!], 0), index(['B', 2], 9), index(['2*B', 2], 9)),
  ],
  pad: [
    of((x) => ops.pad(x!, 1, 1, 2), float(['B', 3])),
    of((x) => ops.pad(x!, -1, 0, 1, 7), float(['B', 2, 3])),
    of((x) => ops.pad(x!, 0, 2, 0), float([2, 2])),
    of((x) => ops.pad(x!, 0, 0, 0), float([2])),
    of((x) => ops.pad(x!, 1, 1, 1), index(['B', 2], 9)),
  ],
  expand: [
    of((x) => ops.expand(x!, ['B', 4]), float(['B', 1])),
    of((x) => ops.expand(x!, [2, 3]), float([3])),
    of((x, y) => ops.add(ops.expand(x!, ['B', 4], y), y!), float([4]), float(['B', 4])),
    of((x, y) => ops.expand(x!, ['B', 2, 4], y), float([2, 1]), float(['B', 2, 4])),
    of((x) => ops.expand(x!, ['B', 4]), index(['B', 1], 9)),
  ],
  runtimeShape: [of((x) => ops.runtimeShape(x!), float(['B', 3]))],
  runtimeSize: [
    of((x) => ops.runtimeSize(x!, 0), float(['2*B', 3])),
    of((x) => ops.runtimeSize(x!, -1), float(['B', 3])),
  ],
  onesRow: [of((x) => ops.onesRow(x!), float(['B', 3])), of((x) => ops.onesRow(x!), float([4, 3]))],

  gather: [
    of((x, i) => ops.gather(x!, i!), float([4, 2]), index(['B', 3], 4)),
    of((x, i) => ops.gather(x!, i!, 1), float(['B', 4, 2]), index([5], 4)),
    of((x, i) => ops.gather(x!, i!, -1), float(['B', 4]), index([3], 4)),
    of((x, i) => ops.gather(x!, i!), float(['B', 2]), index(['B'], 1)),
    of((x, i) => ops.gather(x!, i!), float(['B', 2]), index([3], 1)),
    of((x, i) => ops.gather(x!, i!), float([3]), index([], 3)),
    of((x, i) => ops.gather(x!, i!), index([3], 9), index(['B'], 3)),
  ],
  gatherElements: [
    of((x, i) => ops.gatherElements(x!, i!, 0), float([4, 2]), index([3, 2], 4)),
    of((x, i) => ops.gatherElements(x!, i!, -1), float(['B', 4]), index(['B', 6], 4)),
    of((x, i) => ops.gatherElements(x!, i!, 1), float(['B', 3, 2]), index(['B', 1, 2], 3)),
    of((x, i) => ops.gatherElements(x!, i!, 0), float(['B', 2]), index(['B', 2], 1)),
  ],
  argsort: [
    of((x) => ops.argsort(x!, 0), float(['B', 3])),
    of((x) => ops.argsort(x!, -1), float(['B', 2, 5])),
    of((x) => ops.argsort(ops.toFloat(x!), 1), index(['B', 7], 3)),
    of((x) => ops.argsort(x!, 0), float([4])),
  ],
  sort: [
    of((x) => ops.sort(x!, 0), float(['B', 3])),
    of((x) => ops.sort(x!, 1), float(['B', 4, 2])),
    of((x) => ops.sort(x!, 0), float([5])),
  ],
  scatterAdd: [
    of((x, i) => ops.scatterAdd([4, 2], i!, x!), float(['B', 3, 2]), index(['B', 3], 4)),
    of((x, i) => ops.scatterAdd(['B', 4], i!, x!, 1), float(['B', 6]), index([6], 4)),
    of((x, i) => ops.scatterAdd([2, 3], i!, x!, -1), float([2, 'B']), index(['B'], 3)),
  ],
  gatherKnown: [
    of((x) => ops.gatherKnown(x!, [2, -1, 0, 0, 2]), float(['B', 3, 2])),
    of((x) => ops.gatherKnown(x!, [1]), float(['B', 3, 1])),
  ],
  scatterKnown: [
    of((x) => ops.scatterKnown(x!, [2, -1, 0, 0, 2], 4), float(['B', 5, 2])),
    of((x) => ops.scatterKnown(x!, [1, 0, -1], 3), float([2, 3, 1])),
  ],
  oneHot: [
    of((i) => ops.oneHot(i!, 4), index(['B'], 4)),
    of((i) => ops.oneHot(i!, 3), index(['B', 2], 3)),
    of((i, x) => ops.mul(ops.oneHot(i!, 3), x!), index([2], 3), float(['B', 2, 3])),
  ],

  matmul: [
    of((a, b) => ops.matmul(a!, b!), float(['B', 3]), float([3, 2])),
    of((a, b) => ops.matmul(a!, b!), float(['B', 2, 3]), float(['B', 3, 4])),
    of((a, b) => ops.matmul(a!, b!), float(['B', 2, 3]), float([3, 4])),
    of((a, b) => ops.matmul(a!, b!), float([2, 3]), float(['B', 3, 4])),
    of((a, b) => ops.matmul(a!, b!), float(['B', 1, 2, 3]), float([4, 3, 1])),
    of((a, b) => ops.matmul(a!, ops.transpose(b!)), float(['B', 3]), float(['B', 3])),
  ],
  gemm: [false, true].flatMap((transA) =>
    [false, true].flatMap((transB) => [
      of(
        (a, b, c) => ops.gemm(a!, b!, c, { transA, transB }),
        float(transA ? [2, 'B'] : ['B', 2]),
        float(transB ? [3, 2] : [2, 3]),
        float([3]),
      ),
      of(
        (a, b) => ops.gemm(a!, b!, undefined, { transA, transB }),
        float(transA ? ['B', 2] : [2, 'B']),
        float(transB ? [3, 'B'] : ['B', 3]),
      ),
    ]),
  ),
  transposedProduct: [
    of((a, b) => ops.transposedProduct(a!, b!), float(['B', 3]), float(['B', 2])),
    of((a, b) => ops.transposedProduct(a!, b!), float(['64*B', 3]), float(['64*B', 2])),
    of((a, b) => ops.transposedProduct(a!, b!), float(['66*B', 2]), float(['66*B', 1])),
    of((a, b) => ops.transposedProduct(a!, b!), float([8192, 1]), float([8192, 1])),
  ],
  columnSums: [of((x) => ops.columnSums(x!), float(['B', 3])), of((x) => ops.columnSums(x!), float([4, 1]))],
  affine: [
    of((x, w, b) => ops.affine(x!, w!, b), float(['B', 3]), float([3, 2]), float([2])),
    of((x, w, b) => ops.affine(x!, w!, b), float(['B', 4, 3]), float([3, 2]), float([2])),
    of((x, w) => ops.affine(x!, w!), float(['B', 2, 2, 3]), float([3, 2])),
    of((x, w) => ops.affine(x!, w!), float([3]), float([3, 2])),
  ],

  solveLower: [false, true].flatMap((transposed) => [
    of((l, b) => ops.solveLower(l!, b!, transposed), float(['B', 3, 3], [1, 2]), float(['B', 3, 2])),
    of((l, b) => ops.solveLower(l!, b!, transposed), float([2, 4, 4], [1, 2]), float([2, 4, 'B'])),
    of((l, b) => ops.solveLower(l!, b!, transposed), float(['B', 1, 1], [1, 2]), float(['B', 1, 1])),
  ]),

  conv: convolutions,
  convTranspose: transposedConvolutions,

  upsampleNearest: [
    of((x) => ops.upsampleNearest(x!, 2), float(['B', 2, 3, 2])),
    of((x) => ops.upsampleNearest(x!, 3), float(['B', 2, 1])),
    of((x) => ops.upsampleNearest(x!, 2), float(['B', 1, 2, 1, 3])),
  ],
  averagePool: [
    of((x) => ops.averagePool(x!, 2), float(['B', 4, 2, 3])),
    of((x) => ops.averagePool(x!, 3), float(['B', 6, 1])),
    of((x) => ops.averagePool(x!, 2), float(['B', 2, 2, 4, 1])),
  ],
  layerNorm: [
    of((x, g, b) => ops.layerNorm(x!, g!, b!), float(['B', 4]), float([4]), float([4])),
    of((x, g, b) => ops.layerNorm(x!, g!, b!), float(['B', 2, 3]), float([3]), float([3])),
  ],
  groupNorm: [
    of((x, g, b) => ops.groupNorm(x!, 2, g!, b!), float(['B', 3, 4]), float([4]), float([4])),
    of((x, g, b) => ops.groupNorm(x!, 1, g!, b!), float(['B', 2, 2, 3]), float([3]), float([3])),
    of((x, g, b) => ops.groupNorm(x!, 2, g!, b!, 1e-3), float(['B', 4]), float([4]), float([4])),
  ],
};
