import assert from 'node:assert/strict';
import { test } from 'node:test';
import { input } from '../../src/graph/index.ts';
import { made, parameters } from '../../src/nn/index.ts';
import { evaluate, type Value, value } from '../reference.ts';
import { parameterFeeds } from './feeds.ts';

/** How much result i of each output changes with element j of x, [output][i][j]. */
function influence(size: number, hidden: readonly number[], reversed: boolean): number[][][] {
  const { root, all } = parameters();
  const [x, context] = [input('x', ['B', size]), input('context', ['B', 2])];
  const outputs = made(root, x, 2, { hidden, activation: 'tanh', context, reversed });
  const start = Array.from({ length: size }, (_, i) => 0.3 * i - 0.5);
  // row 0 is x itself, row j + 1 has another element j
  const rows = Array.from({ length: size + 1 }, (_, row) => start.map((v, j) => (j + 1 === row ? v + 1 : v)));
  const found = evaluate(outputs, {
    ...parameterFeeds(all(), 2),
    x: value(rows.flat(), [size + 1, size]),
    context: value(
      rows.flatMap(() => [0.7, -0.2]),
      [size + 1, 2],
    ),
  });
  const change = ({ data }: Value, i: number, j: number) => data[(j + 1) * size + i]! - data[i]!;
  return found.map((y) =>
    Array.from({ length: size }, (_, i) => Array.from({ length: size }, (__, j) => change(y, i, j))),
  );
}

for (const reversed of [false, true])
  test(`${reversed ? 'last' : 'first'} first: an element depends on all those before it and on no other`, () => {
    for (const [size, hidden] of [
      [4, [9]],
      [4, [12, 7]],
      [5, [4, 4]],
      [2, [1]],
      [1, [3]],
    ] as const)
      for (const changes of influence(size, hidden, reversed))
        changes.forEach((row, i) => {
          row.forEach((change, j) => {
            const earlier = reversed ? j > i : j < i;
            assert.equal(
              change !== 0,
              earlier,
              `${size}, ${hidden}: element ${i} by element ${j}: ${change}`,
            );
          });
        });
  });

test('the context reaches every result', () => {
  const { root, all } = parameters();
  const context = input('context', ['B', 2]);
  const options = { hidden: [6], activation: 'elu', context } as const;
  const outputs = made(root, input('x', [3, 'B', 3]), 2, options);
  const found = evaluate(outputs, {
    ...parameterFeeds(all(), 2),
    x: value(Array<number>(18).fill(0.4), [3, 2, 3]),
    context: value([0.7, -0.2, 0.1, 1], [2, 2]),
  });
  for (const { data, shape } of found) {
    assert.deepEqual([...shape], [3, 2, 3]);
    assert.ok([0, 1, 2].every((i) => data[i] !== data[3 + i] && data[i] === data[6 + i]));
  }
});
