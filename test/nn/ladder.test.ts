import assert from 'node:assert/strict';
import { test } from 'node:test';
import { add, gradients, input, type Shape, square, sub, sum } from '../../src/graph/index.ts';
import { initialise, ladder, type Parameter, parameters } from '../../src/nn/index.ts';
import { draw, random } from '../check.ts';
import { runOnce } from '../graph/ort.ts';
import { type Feeds, value } from '../reference.ts';
import { parameterFeeds } from './feeds.ts';

const body = (levels: readonly number[], blocks: number) =>
  ladder({ levels, channels: 6, activation: 'silu', blocks });

/** Whether two rows differ at each place. */
function differ(data: ArrayLike<number>): boolean {
  const half = data.length / 2;
  return Array.from({ length: half }, (_, i) => data[i] !== data[half + i]).every(Boolean);
}

for (const [shape, levels, blocks] of [
  [[28, 28, 1], [0, 0, 0, 3], 0],
  [[30, 31, 1], [0, 0, 0, 3], 0],
  [[31, 17, 2], [0, 0, 0, 1], 1],
  [[23, 9, 1], [0, 0, 1, 1], 0],
  [[7, 6, 1], [0, 1], 1],
  [[5, 7, 1], [1, 1], 1],
] as const) {
  const name = `levels ${levels} of [${shape}] with ${blocks} blocks`;

  test(`${name}: every pixel is seen, and every pixel is made of the state`, async () => {
    const network = body(levels, blocks);
    const { root, all } = parameters();
    const x = input('x', ['B', ...shape]);
    const finest = network.levels(shape).at(-1)!;
    const state = input('state', ['B', ...finest, network.channels] as Shape);
    const loss = network
      .up(root.at('encoder'), x)
      .map((shown) => sum(square(shown)))
      .reduce((a, b) => add(a, b));
    const outputs = {
      seen: gradients(loss, [x])[0]!,
      made: network.output(root.at('decoder'), state, shape),
    };
    const next = random(1);
    const feeds = {
      ...parameterFeeds(all(), 1),
      x: draw({ shape: x.shape }, 2, next),
      state: draw({ shape: state.shape }, 2, next),
    };
    const { seen, made } = await runOnce(outputs, feeds);
    assert.deepEqual(made!.shape, [2, ...shape]);
    assert.ok(seen!.data.every((v) => Number(v) !== 0));
    assert.ok(differ(made!.data));
  });
}

/** What they begin with, zeros too. */
function initialFeeds(some: readonly Parameter[]): Feeds {
  const feeds = some.map((p) => {
    const data = new Float32Array(p.shape.reduce((a, b) => a * b, 1));
    initialise(p, data, 1);
    return [p.name, value(data, p.shape)] as const;
  });
  return Object.fromEntries(feeds);
}

for (const levels of [
  [0, 1],
  [0, 0, 0, 1],
])
  test(`levels ${levels}: blocks before them change nothing at first, and learn`, async () => {
    const shape = [29, 28, 1] as const;
    const [plain, deep] = [body(levels, 0), body(levels, 2)];
    const { root, all } = parameters();
    const x = input('x', ['B', ...shape]);
    const state = input('state', ['B', ...plain.levels(shape)[0]!, 6]);
    const of = (network: typeof plain) => ({
      up: network.up(root.at('encoder'), x)[0]!,
      down: network.output(root.at('decoder'), state, shape),
    });
    const [direct, whole] = [of(plain), of(deep)];
    const loss = add(sum(square(whole.up)), sum(square(whole.down)));
    const fine = all().filter(({ name }) => /fine\.out\.weight$/.test(name));
    const outputs = {
      up: sub(whole.up, direct.up),
      down: sub(whole.down, direct.down),
      ...Object.fromEntries(
        gradients(
          loss,
          fine.map((p) => p.tensor),
        ).map((g, i) => [`gradient ${fine[i]!.name}`, g]),
      ),
    };
    const next = random(1);
    const feeds = {
      ...initialFeeds(all()),
      x: draw({ shape: x.shape }, 2, next),
      state: draw({ shape: state.shape }, 2, next),
    };
    const { up, down, ...learning } = await runOnce(outputs, feeds);
    for (const same of [up!, down!]) assert.ok(same.data.every((v) => Number(v) === 0));
    assert.equal(fine.length, 2);
    for (const one of Object.values(learning)) assert.ok(one.data.some((v) => Number(v) !== 0));
  });

test('a state reaches every place of a level whose places are four times as many along an axis', async () => {
  const network = body([1, 0, 1], 0);
  const [coarse, fine] = network.levels([8, 12, 1]);
  assert.deepEqual(
    [coarse, fine],
    [
      [2, 3],
      [8, 12],
    ],
  );
  const { root, all } = parameters();
  const state = input('state', ['B', ...coarse!, network.channels] as Shape);
  const outputs = { large: network.spread(root, state, fine!) };
  const feeds = { ...parameterFeeds(all(), 1), state: draw({ shape: state.shape }, 2, random(1)) };
  const { large } = await runOnce(outputs, feeds);
  assert.deepEqual(large!.shape, [2, 8, 12, 6]);
  assert.ok(differ(large!.data));
});
