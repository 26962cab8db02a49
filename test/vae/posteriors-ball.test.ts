/** The Poincaré ball: distances, ways there and back, and its edge in float32. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { input } from '../../src/graph/index.ts';
import { fromCentre, fromPoint, norm, toPoint } from '../../src/vae/geometry/ball.ts';
import { wrappedNormal } from '../../src/vae/index.ts';
import { open } from '../graph/ort.ts';
import { evaluate, value } from '../reference.ts';
import { close } from './training.ts';

const [x, y] = [input('x', ['B', 2]), input('y', ['B', 2])];
const pair = (a: readonly number[], b: readonly number[]) => ({ x: value(a, [1, 2]), y: value(b, [1, 2]) });

/** arcosh(1 + 2 |x − y|² / ((1 − |x|²)(1 − |y|²))) with 50 digits (mpmath). */
const distances = [
  [[0.5, 0], [0, 0], 1.0986122886681098],
  [[0.25, -0.5], [0.75, 0.125], 2.3741541828445696],
] as const;

test('the way from point to point is as long as their distance', () => {
  for (const [a, b, distance] of distances) {
    const [one, other] = [
      evaluate([norm(toPoint(x, y))], pair(a, b)),
      evaluate([norm(toPoint(x, y))], pair(b, a)),
    ];
    close(one[0]!.data[0]!, distance, 1e-7, 'there');
    close(other[0]!.data[0]!, distance, 1e-7, 'back');
  }
});

test('going from a point along the way to another comes to the other', () => {
  for (const [a, b] of distances) {
    const [end] = evaluate([fromPoint(x, toPoint(x, y))], pair(a, b));
    [0, 1].forEach((i) => {
      close(end!.data[i]!, b[i]!, 1e-7, `coordinate ${i}`);
    });
  }
  const [point] = evaluate([fromCentre(x)], pair([3, 4], [0, 0]));
  [0.6, 0.8].forEach((v, i) => {
    close(point!.data[i]!, v * Math.tanh(2.5), 1e-7, `coordinate ${i}`);
  });
});

test('float32 tells distances near the edge and between near points', async () => {
  const near: readonly (readonly [readonly number[], readonly number[], number, number])[] = [
    [[0.99951171875, 0], [-0.99951171875, 0], 16.63504399257434, 1e-5],
    [[0.99951171875, 0], [0.99951171875, 0.0009765625], 1.7637837131681646, 1e-4],
    [[0.25, 0.5], [0.25, 0.50048828125], 0.0014209593641009426, 1e-4],
  ];
  const session = await open({ length: norm(toPoint(x, y)), end: fromPoint(x, toPoint(x, y)) });
  for (const [a, b, distance, tolerance] of near) {
    const { length, end } = await session.run(pair(a, b));
    close(length!.data[0]!, distance, tolerance * distance, `${a} to ${b}`);
    // a way of more than 12 units ends at the edge
    [0, 1].forEach((i) => {
      if (distance < 12) close(end!.data[i]!, b[i]!, 2e-6, `coordinate ${i}`);
    });
  }
  await session.release();
});

test('draws far beyond the edge of float32 stay inside the ball, with finite densities', async () => {
  const q = wrappedNormal(fromCentre(x), y);
  const { z, logQz } = q.draw(1);
  const session = await open({ z, logQz, again: q.logProb(z) });
  for (const [way, logVar] of [
    [
      [300, -40],
      [0, 0],
    ],
    [
      [0, 0],
      [8, 8],
    ],
    [
      [-20, 20],
      [-30, 30],
    ],
    [
      [1e-20, 0],
      [-80, -80],
    ],
  ] as const) {
    const found = await session.run({ ...pair(way, logVar), noise: value([0.7, -1.2], [1, 2]) });
    for (const [name, { data }] of Object.entries(found))
      assert.ok(data.every(Number.isFinite), `${name}: ${data}`);
    assert.ok(Math.hypot(...found['z']!.data) < 1);
  }
  await session.release();
});
