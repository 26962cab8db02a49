import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openKernels } from '../../src/optim/index.ts';
import { stream } from '../../src/random/index.ts';
import { createArena } from '../../src/runtime/index.ts';
import { reference } from './reference.ts';

const N = 400; // more than what Adam sums in float32
const arena = createArena([N - 3], 4);
const kernels = openKernels(arena.memory);
const at = [0, 1, 2, 3].map(arena.byteOffset) as [number, number, number, number];
const blocks = [0, 1, 2, 3].map(arena.whole) as [Float32Array, Float32Array, Float32Array, Float32Array];

/** Random numbers of every magnitude, with zeros, denormals and the extremes among them. */
function fill(seed: number): void {
  const scale = new Float32Array(N);
  blocks.forEach((block, i) => {
    stream(seed, 'values', i).normal(block);
    stream(seed, 'scales', i).uniform(scale);
    block.set(block.map((z, j) => z * 10 ** Math.round(80 * scale[j]! - 44)));
    block.set([0, -0, 1e-45, -1e-40, 1e38, -3e38, 1, Number.NaN, Number.POSITIVE_INFINITY], 7 * i);
  });
  blocks[3].set(blocks[3].map(Math.abs)); // a second moment has no sign
}

/** Kernel and reference return the same and leave the same bits in all four blocks (every NaN counts as the same). */
function sameBits(
  kernel: () => unknown,
  plain: (p: Float32Array, g: Float32Array, m: Float32Array, v: Float32Array) => unknown,
): void {
  for (let seed = 0; seed < 40; seed++) {
    fill(seed);
    const copies = blocks.map((block) => block.slice()) as typeof blocks;
    assert.equal(kernel(), plain(...copies));
    blocks.forEach((block, i) => {
      assert.deepEqual([...block], [...copies[i]!]);
    });
  }
}

test('every kernel is bit-equal to plain float32 TypeScript', () => {
  const [p, g, m, v] = at;
  sameBits(
    () => kernels.descend(p, g, N, 0.1),
    (p, g) => reference.descend(p, g, 0.1),
  );
  for (const nesterov of [0, 1])
    sameBits(
      () => kernels.momentum(p, g, m, N, 0.1, 0.9, nesterov),
      (p, g, u) => reference.momentum(p, g, u, 0.1, 0.9, nesterov),
    );
  const scalars = [1e-3, 0.1, 0.001, 1e-8] as const;
  sameBits(
    () => kernels.adam(p, g, m, v, N, ...scalars),
    (p, g, m, v) => reference.adam(p, g, m, v, scalars),
  );
  sameBits(
    () => kernels.scale(g, N, 0.3),
    (_, g) => reference.scale(g, 0.3),
  );
  sameBits(
    () => kernels.approach(m, p, N, 0.01),
    (p, _, m) => reference.approach(m, p, 0.01),
  );
});

const isDenormal = (x: number) => x !== 0 && Math.abs(x) < 2 ** -126;

test('moments that decay leave no denormals behind, whatever gradients come or stay away', () => {
  const [p, g, m, v] = at;
  for (const gradient of [0, 1e-45, 1e-30, 1e-21, 1e-12]) {
    blocks[1].fill(gradient);
    for (const moment of [2, 3]) blocks[moment]!.set(blocks[moment]!.map((_, i) => 10 ** -(i % 40)));
    const found = Array.from({ length: 400 }, () => {
      kernels.adam(p, g, m, v, N, 1e-3, 0.1, 0.01, 1e-8);
      return [...blocks[2], ...blocks[3], ...blocks[2].map((x) => 1e-3 * x)].filter(isDenormal).length;
    });
    assert.equal(Math.max(...found), 0, `gradient ${gradient}`);
  }
});

test('where no gradient ever comes, the second moment comes to rest without a denormal on the way', () => {
  const [p, g, m, v] = at;
  for (const block of blocks) block.fill(0);
  const [change, least] = [Math.fround(0.001), Math.fround(1e-8 * 2 ** -22)];
  for (let step = 1; step <= 30_000; step++) {
    const before = blocks[3][0]!;
    const root = Math.sqrt(1 - 0.999 ** step); // as adam folds the bias correction into epsilon
    kernels.adam(p, g, m, v, 16, 1e-3, 0.1, change, 1e-8 * root);
    const gap = Math.fround(Math.fround(Math.fround(least * root) ** 2) - before);
    assert.ok(!isDenormal(Math.fround(change * gap)) && !isDenormal(blocks[3][0]!), `step ${step}`);
  }
  assert.ok(blocks[3][0]! > 0.99 * least ** 2 && blocks[0].every((x) => x === 0));
});

test('the sum of squares is bit-equal to the reference and exact to float64', () => {
  for (let seed = 0; seed < 20; seed++) {
    stream(seed, 'values').normal(blocks[1]);
    assert.equal(kernels.sumOfSquares(at[1], N), reference.sumOfSquares(blocks[1]));
  }
  blocks[1].fill(1e-3);
  blocks[1][5] = 1e4; // squared, it would drown the others in float32
  const exact = Math.fround(1e-3) ** 2 * (N - 1) + 1e8;
  assert.ok(Math.abs(kernels.sumOfSquares(at[1], N) - exact) < 1e-7);
  blocks[1].fill(3e38); // its square overflows float32
  assert.ok(Number.isFinite(kernels.sumOfSquares(at[1], N)));
});

test('Adam returns the sum of squares, not finite where a gradient or its square is not', () => {
  const [p, g, m, v] = at;
  const step = () => kernels.adam(p, g, m, v, N, 1e-3, 0.1, 0.001, 1e-8);
  stream(1, 'values').normal(blocks[1]);
  const exact = blocks[1].reduce((sum, x) => sum + x ** 2, 0);
  assert.ok(Math.abs(step() - exact) < 1e-6 * exact);
  for (const bad of [Number.NaN, Number.NEGATIVE_INFINITY, 1e20]) {
    blocks[1].fill(1);
    blocks[1][5] = bad;
    assert.ok(!Number.isFinite(step()), `${bad}`);
  }
});

test('a moment is as exact as float32 is, down to a grain that is next to nothing', () => {
  const [p, g, m, v] = at;
  for (const size of [1e-20, 1e-15, 1e-12, 1e-3, 1e3]) {
    stream(3, 'values').normal(blocks[1]);
    blocks[1].set(blocks[1].map((x) => size * x));
    blocks[2].fill(0);
    kernels.adam(p, g, m, v, N, 1e-3, 0.1, 0.001, 1e-8);
    blocks[2].forEach((x, i) => {
      const exact = 0.1 * blocks[1][i]!;
      assert.ok(Math.abs(x - exact) <= 3e-7 * Math.abs(exact) + 1e-8 * 2 ** -45, `${x} for ${exact}`);
    });
  }
});

test('a kernel touches nothing outside its range', () => {
  fill(1);
  const before = blocks.map((block) => block.slice());
  kernels.adam(at[0] + 64, at[1] + 64, at[2] + 64, at[3] + 64, 32, 1e-3, 0.1, 0.001, 1e-8);
  blocks.forEach((block, i) => {
    assert.deepEqual(block.slice(0, 16), before[i]!.slice(0, 16));
    assert.deepEqual(block.slice(48), before[i]!.slice(48));
  });
});

test('the committed kernels are what their sources compile to', async () => {
  const script = fileURLToPath(new URL('../../scripts/build-kernels.mjs', import.meta.url));
  await promisify(execFile)(process.execPath, [script, '--check']);
});
