import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { add, gradients, input, mul, type Shape, sum, type Tensor, toOnnx } from '../../src/graph/index.ts';
import {
  activationNames,
  convNetwork,
  halvings,
  mlp,
  type Network,
  type Parameter,
  parameters,
} from '../../src/nn/index.ts';
import { checkGradients, draw, random } from '../check.ts';
import { runOnce } from '../graph/ort.ts';
import { parameterFeeds } from './feeds.ts';

interface Pair {
  readonly features: Tensor;
  readonly decoded: Tensor;
  readonly all: readonly Parameter[];
}

/** Encoder and decoder of a network over x and z. */
function both(network: Network, shape: readonly number[], latent = 2): Pair {
  const { root, all } = parameters();
  const features = network.encode(root.at('encoder'), input('x', ['B', ...shape]));
  const decoded = network.decode(root.at('decoder'), input('z', ['B', latent]), shape);
  return { features, decoded, all: all() };
}

const picture = fc.record({
  height: fc.integer({ min: 8, max: 128 }),
  width: fc.integer({ min: 8, max: 128 }),
  channels: fc.constantFrom(1, 3, 4),
  halvings: fc.integer({ min: 1, max: 3 }),
  norm: fc.boolean(),
  blocks: fc.integer({ min: 0, max: 2 }),
  activation: fc.constantFrom(...activationNames),
});

test('a convolutional network fits pictures of any size, odd and oblong too', () => {
  const fits = fc.property(picture, ({ height, width, channels, halvings: times, ...rest }) => {
    const options = { channels: [4, 8, 8].slice(0, times), hidden: 5, ...rest };
    const { features, decoded } = both(convNetwork(options), [height, width, channels]);
    assert.deepEqual(features.shape, ['B', 5]);
    assert.deepEqual(decoded.shape, ['B', height, width, channels]);
  });
  fc.assert(fits, { numRuns: 20, seed: 1 });
});

test('every size from 8 to 128 halves down to at least one pixel', () => {
  for (let n = 8; n <= 128; n++) {
    const sizes = halvings(n, 3);
    assert.equal(sizes.length, 4);
    for (const [i, size] of sizes.entries()) assert.equal(size, Math.floor(n / 2 ** i));
    assert.ok(sizes.at(-1)! >= 1);
  }
});

for (const shape of [
  [9, 13, 3],
  [8, 8, 1],
  [15, 8, 4],
]) {
  test(`a convolutional network of [${shape}] runs, forward and backward`, async () => {
    const network = convNetwork({ channels: [4, 6], hidden: 7, activation: 'silu', norm: true, blocks: 1 });
    const { features, decoded, all } = both(network, shape);
    const loss = add(sum(features), sum(decoded));
    const g = gradients(
      loss,
      all.map((p) => p.tensor),
    );
    const outputs = { decoded, ...Object.fromEntries(all.map((p, i) => [`d ${p.name}`, g[i]!])) };
    const next = random(1);
    const feeds = {
      ...parameterFeeds(all, 1),
      x: draw({ shape: ['B', ...shape] }, 2, next),
      z: draw({ shape: ['B', 2] }, 2, next),
    };
    const results = await runOnce(outputs, feeds);
    assert.deepEqual(results['decoded']!.shape, [2, ...shape]);
    for (const { name, shape: of } of all) assert.deepEqual(results[`d ${name}`]!.shape, of);
    assert.ok(Object.values(results).every(({ data }) => data.every(Number.isFinite)));
  });
}

test('a dense network flattens pictures, mirrors its widths and gives back any shape', () => {
  for (const shape of [[7], [9, 13, 3], [128, 8, 1]]) {
    const { features, decoded, all } = both(mlp({ hidden: [6, 5], activation: 'relu', norm: true }), shape);
    assert.deepEqual(features.shape, ['B', 5]);
    assert.deepEqual(decoded.shape, ['B', ...shape]);
    const weights = all.filter((p) => p.name.endsWith('weight')).map((p) => [p.name, p.shape]);
    const size = shape.reduce((a, b) => a * b, 1);
    assert.deepEqual(weights, [
      ['encoder.0.weight', [size, 6]],
      ['encoder.1.weight', [6, 5]],
      ['decoder.0.weight', [2, 5]],
      ['decoder.1.weight', [5, 6]],
      ['decoder.output.weight', [6, size]],
    ]);
    assert.ok(toOnnx({ features, decoded }).length > 0);
  }
});

const smooth = { activation: 'silu', norm: true } as const;
const checked: Record<string, { network: Network; shape: readonly number[] }> = {
  'a dense network': { network: mlp({ hidden: [6, 5], ...smooth }), shape: [4] },
  'a dense network of ReLUs': {
    network: mlp({ hidden: [6, 5], activation: 'relu', norm: false }),
    shape: [4],
  },
  'a convolutional network': {
    network: convNetwork({ channels: [2, 8], hidden: 5, blocks: 1, ...smooth }),
    shape: [8, 9, 1],
  },
  'a convolutional network without norms': {
    network: convNetwork({ channels: [3], hidden: 4, blocks: 0, activation: 'gelu', norm: false }),
    shape: [8, 8, 4],
  },
};

for (const [name, { network, shape }] of Object.entries(checked)) {
  test(`${name}: every gradient is that of central differences`, () => {
    const { features, decoded, all } = both(network, shape);
    const weigh = (t: Tensor, by: string) => sum(mul(t, input(by, t.shape)));
    const loss = add(weigh(features, 'u'), weigh(decoded, 'v'));
    const next = random(5);
    const shapes: Record<string, Shape> = {
      x: ['B', ...shape],
      z: ['B', 2],
      u: features.shape,
      v: decoded.shape,
    };
    const drawn = Object.entries(shapes).map(([k, s]) => [k, draw({ shape: s }, 2, next)]);
    const feeds = { ...parameterFeeds(all, 2), ...Object.fromEntries(drawn) };
    checkGradients(
      loss,
      all.map((p) => p.tensor),
      feeds,
    );
  });
}
