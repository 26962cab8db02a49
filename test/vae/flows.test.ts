/** Flows: their log-determinants, their inverses, and what keeps them invertible. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { input, reshape } from '../../src/graph/index.ts';
import { parameters } from '../../src/nn/index.ts';
import { coupling, inverseAutoregressive, maskedAutoregressive } from '../../src/vae/flows/affine.ts';
import { type Bijection, chain, chainBijections, type Flow } from '../../src/vae/flows/flow.ts';
import { planar, radial, reflected } from '../../src/vae/flows/simple.ts';
import { draw, random } from '../check.ts';
import { evaluate, type Feeds, value } from '../reference.ts';
import { close } from './training.ts';

const Z = 3;

/** Parameters of a step are inputs [B, size], or those of a network. */
const { root, all } = parameters();
const made = { hidden: [5, 4], activation: 'elu', context: input('h', ['B', 2]) } as const;
const bijections: Record<string, Bijection> = {
  coupling: coupling(root.at('coupling'), Z, { width: 5, swapped: false }),
  'coupling, swapped': coupling(root.at('swapped'), Z, { width: 5, swapped: true }),
  'masked autoregressive': maskedAutoregressive(root.at('maf'), { ...made, zero: true }),
  'masked autoregressive, reversed': maskedAutoregressive(root.at('fam'), { ...made, reversed: true }),
};
bijections['a chain'] = chainBijections(Object.values(bijections));
const of = (name: string, size: number) => input(name, ['B', size]);
const flows: Record<string, Flow> = {
  planar: planar(of('u', Z), of('w', Z), of('b', 1)),
  radial: radial(of('c', Z), of('a', 1), of('b', 1)),
  'inverse autoregressive': inverseAutoregressive(root.at('iaf'), made),
  'inverse autoregressive, reversed': inverseAutoregressive(root.at('fai'), { ...made, reversed: true }),
  ...Object.fromEntries(Object.entries(bijections).map(([name, { toBase }]) => [name, toBase])),
};
flows['a chain of all'] = chain(Object.values(flows));
Object.values(flows).map((flow) => flow(input('z', [1, 'B', Z]))); // declares the parameters of the networks
Object.values(bijections).map(({ fromBase }) => fromBase(input('z', [1, 'B', Z])));

/** Parameters drawn from ±1.5 and `rows` copies of one example's. */
function feedsFor(rows: number, seed: number): Feeds {
  const next = random(seed);
  const nets = all().map(({ name, shape }) => [name, draw({ shape, range: [-1, 1] }, 1, next)] as const);
  const own = (
    [
      ['u', Z],
      ['w', Z],
      ['b', 1],
      ['c', Z],
      ['a', 1],
      ['h', 2],
    ] as const
  ).map(([name, size]) => {
    const { data } = draw({ shape: [1, size], range: [-1.5, 1.5] }, 1, next);
    return [name, value(Array.from({ length: rows }, () => [...data]).flat(), [rows, size])] as const;
  });
  return Object.fromEntries([...nets, ...own]);
}

/** Of a small square matrix, by elimination with pivots. */
function determinant(matrix: readonly (readonly number[])[]): number {
  const a = matrix.map((row) => [...row]);
  let product = 1;
  for (let i = 0; i < a.length; i++) {
    const pivot = a
      .slice(i)
      .reduce((best, row, k) => (Math.abs(row[i]!) > Math.abs(a[best]![i]!) ? i + k : best), i);
    if (pivot !== i) {
      [a[i], a[pivot]] = [a[pivot]!, a[i]!];
      product = -product;
    }
    product *= a[i]![i]!;
    for (let k = i + 1; k < a.length; k++) {
      const factor = a[k]![i]! / a[i]![i]!;
      for (let j = i; j < a.length; j++) a[k]![j]! -= factor * a[i]![j]!;
    }
  }
  return product;
}

const STEP = 1e-4;

for (const [name, flow] of Object.entries(flows))
  test(`${name}: the log-determinant is that of a Jacobian by central differences, which is positive`, () => {
    const { z, logDet } = flow(input('z', [1, 'B', Z]));
    for (const seed of [1, 2, 3]) {
      const start = draw({ shape: [Z] }, 1, random(10 + seed)).data;
      // row 0 is z, the others z ± one and two steps along each axis
      const moves = Array.from({ length: Z }, (_, j) =>
        [1, -1, 2, -2].map((k) => [j, k * STEP] as const),
      ).flat();
      const rows = [[-1, 0] as const, ...moves].map(([axis, by]) =>
        Array.from(start, (v, j) => (j === axis ? v + by : v)),
      );
      const feeds = { ...feedsFor(rows.length, seed), z: value(rows.flat(), [1, rows.length, Z]) };
      const [moved, log] = evaluate([z, logDet], feeds);
      const at = (row: number, i: number) => moved!.data[row * Z + i]!;
      const jacobian = Array.from({ length: Z }, (_, i) =>
        Array.from({ length: Z }, (__, j) => {
          const [a, b, c, d] = [1, 2, 3, 4].map((k) => at(4 * j + k, i));
          return (8 * (a! - b!) - (c! - d!)) / (12 * STEP);
        }),
      );
      close(Math.log(determinant(jacobian)), log!.data[0]!, 1e-6, `parameters ${seed}`);
    }
  });

for (const [name, { toBase, fromBase }] of Object.entries(bijections))
  test(`${name}: inverse and forward are the identity, either way round`, () => {
    const z = input('z', [2, 'B', Z]);
    const drawn = draw({ shape: [2, 4, Z] }, 1, random(5));
    const back = [fromBase(toBase(z).z), toBase(fromBase(z)).z];
    for (const found of evaluate(back, { ...feedsFor(4, 2), z: drawn }))
      found.data.forEach((v, i) => {
        close(v, drawn.data[i]!, 1e-9, `element ${i}`);
      });
  });

test('a reflection is its own inverse, keeps lengths and turns its own direction round', () => {
  const [z, v] = [input('z', [2, 'B', Z]), of('w', Z)];
  const once = reflected(z, v);
  const turned = reflected(reshape(v, [1, 'B', Z]), v);
  const feeds: Feeds = { ...feedsFor(2, 3), z: draw({ shape: [2, 2, Z] }, 1, random(8)) };
  const [first, twice, back] = evaluate([once, reflected(once, v), turned], feeds);
  const length = (data: Float64Array, i: number) => Math.hypot(...data.subarray(Z * i, Z * i + Z));
  for (let i = 0; i < 4; i++) close(length(first!.data, i), length(feeds['z']!.data, i), 1e-9, `length ${i}`);
  twice!.data.forEach((x, i) => {
    close(x, feeds['z']!.data[i]!, 1e-9, `element ${i}`);
  });
  back!.data.forEach((x, i) => {
    close(x, -feeds['w']!.data[i]!, 1e-9, `direction ${i}`);
  });
});

test('a planar flow along nothing moves nothing, and one pushed hard against itself still moves forward', () => {
  const z = input('z', [1, 'B', Z]);
  const at = (u: number[], w: number[]) => {
    const { z: moved, logDet } = planar(of('u', Z), of('w', Z), of('b', 1))(z);
    const feeds = {
      u: value(u, [1, Z]),
      w: value(w, [1, Z]),
      b: value([0.5], [1, 1]),
      z: value([1, 2, 3], [1, 1, Z]),
    };
    return evaluate([moved, logDet], feeds).map(({ data }) => [...data]);
  };
  const [still, none] = at([0, 0, 0], [0, 0, 0]);
  assert.deepEqual(still, [1, 2, 3]);
  close(none![0]!, 0, 1e-7, 'volume');
  assert.ok(at([-50, 0, 0], [1, 0, 0])[1]![0]! > Math.log(1e-4) - 1e-6);
  // wᵀu = 0 needs no correction: z + u tanh(wᵀz + b)
  const [moved, logDet] = at([0, 1, 0], [2, 0, 0]);
  close(moved![1]!, 2 + Math.tanh(2.5), 1e-6, 'moved by u');
  close(logDet![0]!, 0, 1e-6, 'a shear keeps volumes');
});

test('a radial flow with α = softplus(b) moves nothing', () => {
  const { z, logDet } = radial(of('c', Z), of('a', 1), of('a', 1))(input('z', [1, 'B', Z]));
  const feeds = { ...feedsFor(1, 1), z: value([1, 2, 3], [1, 1, Z]) };
  const [moved, log] = evaluate([z, logDet], feeds);
  [1, 2, 3].forEach((v, i) => {
    close(moved!.data[i]!, v, 1e-12, `element ${i}`);
  });
  close(log!.data[0]!, 0, 1e-12, 'log-determinant');
});
