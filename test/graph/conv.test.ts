/** Convolutions and their gradients against their definition: a sum over every (input, weight, output) that meet. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { conv, convTranspose, gradients, input, mul, sum, type Tensor } from '../../src/graph/index.ts';
import { coarsePays, finePays, transforms } from '../../src/graph/winograd.ts';
import { draw, random } from '../check.ts';
import { evaluate, type Feeds, type Value } from '../reference.ts';
import {
  convShapes,
  type Geometry,
  geometries,
  transposedGeometries,
  transposedShapes,
} from './conv-cases.ts';
import { expectClose, runOnce } from './ort.ts';

const BATCH = 2;

for (const [name, list] of [
  ['conv', geometries],
  ['convTranspose', transposedGeometries],
] as const) {
  describe(name, () => {
    test('runs as defined in ONNX Runtime too', async () => {
      for (const g of list.filter((_, i) => i % 4 === 0)) {
        const { outputs, feeds, expected } = problem(name, g);
        const actual = await runOnce(Object.fromEntries(outputs.entries()), feeds);
        expected.forEach((v, i) => {
          expectClose(actual[i]!, v, JSON.stringify(g));
        });
      }
    });
    for (const g of list) test(JSON.stringify(g), () => check(name, g));
    test('any geometry', () => {
      fc.assert(
        fc.property(arbitrary, (g) => {
          fc.pre(spaceAfter(name, g).every((n) => n > 0 && n < 12));
          check(name, g);
        }),
        { seed: 1, numRuns: 100 },
      );
    });
  });
}

const arbitrary: fc.Arbitrary<Geometry> = fc
  .tuple(fc.integer({ min: 1, max: 2 }), fc.constantFrom(1, 1, 2, 3))
  .chain(([axes, groups]) =>
    fc.record({
      space: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: axes, maxLength: axes }),
      kernel: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: axes, maxLength: axes }),
      channels: fc.constantFrom(1, 2, 6, 17).map((n) => n * groups),
      outputs: fc.constantFrom(1, 2, 5, 33).map((n) => n * groups),
      stride: fc.integer({ min: 1, max: 3 }),
      padding: fc.integer({ min: 0, max: 2 }),
      dilation: fc.constantFrom(1, 1, 2),
      groups: fc.constant(groups),
      extra: fc.integer({ min: 0, max: 2 }),
    }),
  );

/** x, weight and bias, the result, and the gradients of its random combination, each by graph and by definition. */
function problem(name: 'conv' | 'convTranspose', g: Geometry) {
  const shapes = (name === 'conv' ? convShapes : transposedShapes)(g);
  const xs = shapes.map((shape, i) => input(`x${i}`, shape)) as [Tensor, Tensor, Tensor];
  const y = (name === 'conv' ? conv : convTranspose)(...xs, g.kernel, g);
  const weights = input('weights', y.shape);
  const next = random(1);
  const feeds = Object.fromEntries([...xs, weights].map((x) => [x.name!, draw(x, BATCH, next)]));
  const outputs = [y, ...gradients(sum(mul(y, weights)), xs)];
  return { outputs, feeds, expected: byDefinition(name, g, feeds) };
}

function check(name: 'conv' | 'convTranspose', g: Geometry): void {
  const { outputs, feeds, expected } = problem(name, g);
  const tolerance = isTiled(name, g) ? 1e-6 : 1e-12; // thirds and fifths are constants of 32 bits
  evaluate(outputs, feeds).forEach((v, i) => {
    expectClose(v, expected[i]!, ['y', 'dx', 'dweight', 'dbias'][i]!, tolerance);
  });
}

function isTiled(name: string, g: Geometry): boolean {
  if ((g.groups ?? 1) > 1) return false;
  const [before, after] = [g.space, spaceAfter(name, g)];
  const [fine, coarse] = name === 'conv' ? [before, after] : [after, before];
  const [inner, outer] = name === 'conv' ? [g.channels, g.outputs] : [g.outputs, g.channels];
  const whole = { stride: 1, padding: 0, dilation: 1, ...g, fine, coarse };
  return coarsePays(whole, inner, outer) || finePays(whole, inner, outer);
}

function spaceAfter(name: string, g: Geometry): number[] {
  const { stride = 1, padding = 0, dilation = 1, extra = 0 } = g;
  return g.space.map((n, i) => {
    const reach = dilation * (g.kernel[i]! - 1) + 1;
    return name === 'conv'
      ? Math.floor((n + 2 * padding - reach) / stride) + 1
      : (n - 1) * stride - 2 * padding + reach + extra;
  });
}

const size = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

/** Index tuple of a row-major position. */
function unravel(position: number, sizes: readonly number[]): number[] {
  const at: number[] = [];
  let rest = position;
  for (const n of sizes.toReversed()) {
    at.unshift(rest % n);
    rest = Math.floor(rest / n);
  }
  return at;
}

/** Calls back with the positions in x, weight and y of every product that is part of y. */
function meet(name: string, g: Geometry, visit: (x: number, w: number, y: number) => void): void {
  const { stride = 1, padding = 0, dilation = 1, groups = 1, channels, outputs } = g;
  const after = spaceAfter(name, g);
  const [coarse, fine] = name === 'conv' ? [after, g.space] : [g.space, after];
  const [inner, outer] = [channels / groups, outputs / groups];
  for (let cell = 0; cell < BATCH * size(coarse); cell++) {
    const [b, ...c] = unravel(cell, [BATCH, ...coarse]) as [number, ...number[]];
    for (let tap = 0; tap < size(g.kernel); tap++) {
      const f = unravel(tap, g.kernel).map((k, i) => c[i]! * stride - padding + dilation * k);
      if (f.some((v, i) => v < 0 || v >= fine[i]!)) continue;
      const place = f.reduce((p, v, i) => p * fine[i]! + v, b);
      for (let o = 0; o < outputs; o++) {
        const group = Math.floor(o / outer);
        for (let i = 0; i < inner; i++) {
          const channel = group * inner + i;
          if (name === 'conv')
            visit(place * channels + channel, (tap * inner + i) * outputs + o, cell * outputs + o);
          else visit(cell * channels + channel, (tap * outputs + o) * inner + i, place * outputs + o);
        }
      }
    }
  }
}

/** y, dx, dweight, dbias. */
function byDefinition(name: string, g: Geometry, feeds: Feeds): Value[] {
  const [x, w, bias, dy] = ['x0', 'x1', 'x2', 'weights'].map((k) => feeds[k]!.data) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const y = dy.map((_, i) => bias[i % g.outputs]!);
  const [dx, dw, dbias] = [x, w, bias].map((v) => new Float64Array(v.length)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  meet(name, g, (i, j, k) => {
    y[k]! += x[i]! * w[j]!;
    dx[i]! += dy[k]! * w[j]!;
    dw[j]! += dy[k]! * x[i]!;
  });
  dy.forEach((v, k) => {
    dbias[k % g.outputs]! += v;
  });
  return [y, dx, dw, dbias].map((data, i) => ({ ...feeds[['weights', 'x0', 'x1', 'x2'][i]!]!, data }));
}

describe('by tiles', () => {
  for (const [tile, taps] of [2, 3, 4, 5]
    .flatMap((m) => [2, 3].map((r) => [m, r] as const))
    .filter(([m, r]) => m + r <= 7))
    test(`${tile} results of ${taps} taps are interpolated exactly`, () => {
      const { output, kernel, input: evaluate } = transforms(tile, taps);
      const next = random(3);
      const times = (m: readonly (readonly number[])[], v: readonly number[]) =>
        m.map((row) => row.reduce((total, a, i) => total + a * v[i]!, 0));
      const d = Array.from({ length: tile + taps - 1 }, () => next() - 0.5);
      const w = Array.from({ length: taps }, () => next() - 0.5);
      const atPoints = times(evaluate, d);
      const y = times(
        output,
        times(kernel, w).map((v, i) => v * atPoints[i]!),
      );
      const expected = Array.from({ length: tile }, (_, i) =>
        w.reduce((total, v, k) => total + v * d[i + k]!, 0),
      );
      y.forEach((v, i) => {
        assert.ok(Math.abs(v - expected[i]!) < 1e-13, `${v}, expected ${expected[i]}`);
      });
    });

  for (const [name, g] of [
    ['conv', { space: [12, 12], kernel: [3, 3], channels: 32, outputs: 32, padding: 1 }],
    ['convTranspose', { space: [8, 8], kernel: [4, 4], channels: 32, outputs: 16, stride: 2, padding: 1 }],
  ] as const)
    test(`a ${name} in 32 bits errs by no more than a few roundings`, async () => {
      assert.ok(isTiled(name, g));
      const { outputs, feeds, expected } = problem(name, g);
      const actual = await runOnce(Object.fromEntries(outputs.entries()), feeds);
      for (const [i, what] of ['y', 'dx', 'dweight'].entries()) {
        const size = Math.sqrt(meanOf(expected[i]!.data, (v) => v * v));
        const error = Math.sqrt(meanOf(expected[i]!.data, (v, j) => (v - actual[i]!.data[j]!) ** 2));
        assert.ok(error < 2e-6 * size, `${what} errs by ${error}, of ${size}`);
      }
    });
});

const meanOf = (data: Value['data'], of: (v: number, i: number) => number): number =>
  data.reduce((total, v, i) => total + of(v, i), 0) / data.length;

test('the definition is a convolution', () => {
  const g: Geometry = { space: [3], kernel: [2], channels: 1, outputs: 1 };
  const { feeds } = problem('conv', g);
  const [x, w, b] = [feeds.x0!.data, feeds.x1!.data, feeds.x2!.data];
  const [y] = byDefinition('conv', g, feeds);
  assert.equal(y!.data[1], b[0]! + x[1]! * w[0]! + x[2]! * w[1]!);
});
