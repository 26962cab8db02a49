/** Moves, ranks, distances and nearest things on numbers that can be checked by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  angleBetween,
  euclideanDistance,
  hyperbolicDistance,
  moveBetween,
  nearest,
  pointsOf,
  rankOf,
  rootMeanSquare,
  scaledDistance,
  spread,
  variances,
} from '../../src/metrics/index.ts';
import { near } from './near.ts';

const points = (rows: number[][]) => pointsOf(Float64Array.from(rows.flat()), rows[0]!.length);

test('a move is the mean of differences, angles the shorter way round', () => {
  const low = points([
    [1, 350],
    [3, 350],
  ]);
  const high = points([
    [5, 10],
    [0, 30],
  ]);
  const move = moveBetween(low, high, (entry) => (entry === 1 ? 360 : undefined));
  assert.deepEqual(
    [...move.low].map((v) => Math.round(v)),
    [2, 350],
  );
  assert.deepEqual(
    [...move.high].map((v) => Math.round(v)),
    [3, 20],
  );
  assert.deepEqual([...move.change], [0.5, 30]);
  assert.deepEqual([...move.absolute], [3.5, 30]);
  assert.deepEqual([...move.square], [12.5, 1000]);
  near(rootMeanSquare(low)[0]!, Math.sqrt(5), 1e-12);
  const varying = variances(
    points([
      [1, 350],
      [3, 10],
      [Number.NaN, 0],
    ]),
    (entry) => (entry === 1 ? 360 : undefined),
  );
  near(varying[0]!, 1, 1e-12);
  near(varying[1]!, 200 / 3, 1e-9);
});

test('the spread of all codes is that of their means and their own', () => {
  const { mean, deviation } = spread(points([[1], [5]]), Float32Array.of(Math.log(9), Math.log(1)));
  assert.deepEqual([...mean], [3]);
  near(deviation[0]!, 3, 1e-6); // 4 of the means, 5 within
  near(spread(points([[1], [5]])).deviation[0]!, 2, 1e-12);
});

test('a rank is the share below, and half of what is the same', () => {
  assert.deepEqual(
    [0, 1, 2, 9].map((v) => rankOf([1, 2, 2, 3], v)),
    [0, 0.125, 0.5, 1],
  );
});

test('distances of each space', () => {
  near(scaledDistance([0, 1, 7], [2, 1, 9], [2, 1, 0]), 1, 1e-12);
  near(euclideanDistance([0, 0], [3, 4]), 5, 1e-12);
  near(angleBetween([1, 0], [0, 1]), Math.PI / 2, 1e-12);
  near(angleBetween([1, 0], [-1, 0]), Math.PI, 1e-12);
  near(hyperbolicDistance([0, 0], [Math.tanh(0.8), 0]), 1.6, 1e-9); // a ray from the centre: 2 artanh r
});

test('the nearest are kept in order, and no more than asked for', () => {
  const keeper = nearest<string>(2);
  const offered: string[] = [];
  for (const [distance, name] of [
    [3, 'c'],
    [1, 'a'],
    [5, 'e'],
    [1, 'b'],
  ] as const)
    keeper.offer(distance, () => {
      offered.push(name);
      return name;
    });
  assert.deepEqual(
    keeper.found().map(({ distance, item }) => [distance, item]),
    [
      [1, 'a'],
      [1, 'b'],
    ],
  );
  assert.deepEqual(offered, ['c', 'a', 'b'], 'what is too far is not asked for');
});
