/** Attention by its formula in plain loops. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { input } from '../../src/graph/index.ts';
import { causalAttention, parameters, transformerBlock } from '../../src/nn/index.ts';
import { stream } from '../../src/random/index.ts';
import { evaluate, type Feeds, value } from '../reference.ts';
import { parameterFeeds } from './feeds.ts';

const [BATCH, POSITIONS, WIDTH, HEADS] = [2, 4, 6, 2];
const SIZE = WIDTH / HEADS;
const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, v, i) => sum + v * b[i]!, 0);

/** x · weight + bias of a named layer. */
function layer(feeds: Feeds, name: string, x: readonly number[]): number[] {
  const [weight, bias] = ['weight', 'bias'].map((kind) => feeds[`${name}.${kind}`]!);
  const width = weight!.shape[1]!;
  return [...bias!.data].map(
    (b, j) =>
      b +
      dot(
        x,
        x.map((_, i) => weight!.data[i * width + j]!),
      ),
  );
}

/** One row [N][D]: each head weighs the values of no later position by softmax(q · k / √d). */
function attended(feeds: Feeds, name: string, row: readonly number[][]): number[][] {
  const all = row.map((x) => layer(feeds, `${name}qkv`, x));
  const part = (position: number, which: number, head: number) =>
    all[position]!.slice(which * WIDTH + head * SIZE, which * WIDTH + (head + 1) * SIZE);
  return row.map((_, n) => {
    const heads = Array.from({ length: HEADS }, (_, head) => {
      const scores = Array.from({ length: n + 1 }, (_, m) =>
        Math.exp(dot(part(n, 0, head), part(m, 1, head)) / Math.sqrt(SIZE)),
      );
      const total = scores.reduce((a, b) => a + b);
      return Array.from({ length: SIZE }, (_, i) =>
        scores.reduce((sum, score, m) => sum + (score / total) * part(m, 2, head)[i]!, 0),
      );
    });
    return layer(feeds, `${name}out`, heads.flat());
  });
}

const normalised = (feeds: Feeds, name: string, x: readonly number[]): number[] => {
  const mean = dot(
    x,
    x.map(() => 1 / x.length),
  );
  const variance = dot(
    x.map((v) => (v - mean) ** 2),
    x.map(() => 1 / x.length),
  );
  const [scale, shift] = ['scale', 'shift'].map((kind) => feeds[`${name}.${kind}`]!.data);
  return x.map((v, i) => ((v - mean) / Math.sqrt(variance + 1e-5)) * scale![i]! + shift![i]!);
};

/** x · Φ(x), Φ by the midpoint rule. */
const gelu = (x: number): number => {
  const steps = 4000;
  const h = x / steps;
  const density = (t: number) => Math.exp(-0.5 * t * t) / Math.sqrt(2 * Math.PI);
  const inner = Array.from({ length: steps }, (_, i) => density((i + 0.5) * h));
  return x * (0.5 + h * inner.reduce((a, b) => a + b, 0));
};

/** `build` on drawn rows, and what `expected` says of each of them. */
function compare(
  build: typeof causalAttention,
  expected: (feeds: Feeds, row: readonly number[][]) => number[][],
): void {
  const declared = parameters();
  const out = build(declared.root, input('x', ['B', POSITIONS, WIDTH]), HEADS);
  const x = new Float32Array(BATCH * POSITIONS * WIDTH);
  stream(1, 'x').normal(x);
  const feeds = { ...parameterFeeds(declared.all(), 2), x: value(x, [BATCH, POSITIONS, WIDTH]) };
  const found = evaluate([out], feeds)[0]!.data;
  for (let b = 0; b < BATCH; b++) {
    const row = Array.from({ length: POSITIONS }, (_, n) =>
      Array.from(x.subarray((b * POSITIONS + n) * WIDTH, (b * POSITIONS + n + 1) * WIDTH)),
    );
    expected(feeds, row)
      .flat()
      .forEach((v, i) => {
        assert.ok(Math.abs(found[b * POSITIONS * WIDTH + i]! - v) < 1e-6, `row ${b}, number ${i}`);
      });
  }
}

test('attention is its formula: heads apart, scores over √d, no later position seen', () => {
  compare(causalAttention, (feeds, row) => attended(feeds, '', row));
});

test('a block of the transformer adds attention, then two layers, each after a norm', () => {
  compare(transformerBlock, (feeds, row) => {
    const first = attended(
      feeds,
      'attention.',
      row.map((x) => normalised(feeds, 'norm1', x)),
    ).map((add, n) => add.map((v, i) => v + row[n]![i]!));
    return first.map((h) => {
      const wide = layer(feeds, 'feedForward.in', normalised(feeds, 'norm2', h)).map(gelu);
      return layer(feeds, 'feedForward.out', wide).map((v, i) => v + h[i]!);
    });
  });
});
