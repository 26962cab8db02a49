import assert from 'node:assert/strict';
import { test } from 'node:test';
import { input } from '../../src/graph/index.ts';
import { constantly, conv, convTranspose, layerNorm, linear, parameters } from '../../src/nn/index.ts';

test('names are paths, in the order of declaration', () => {
  const { root, all } = parameters();
  const x = input('x', ['B', 3]);
  linear(root.at('encoder').at(0), x, 2);
  layerNorm(root.at('encoder').at(0).at('norm'), x);
  assert.deepEqual(
    all().map(({ name, shape, decay }) => [name, shape, decay]),
    [
      ['encoder.0.weight', [3, 2], true],
      ['encoder.0.bias', [2], false],
      ['encoder.0.norm.scale', [3], false],
      ['encoder.0.norm.shift', [3], false],
    ],
  );
  assert.equal(root.at('a').at(1).path, 'a.1');
});

test('weights of convolutions are matrices of patches', () => {
  const { root, all } = parameters();
  const x = input('x', ['B', 8, 8, 6]);
  const down = conv(root.at('down'), x, 4, { kernel: 3, stride: 2, padding: 1, groups: 2 });
  const up = convTranspose(root.at('up'), x, 5, { kernel: 4, stride: 2, padding: 1 });
  assert.deepEqual(down.shape, ['B', 4, 4, 4]);
  assert.deepEqual(up.shape, ['B', 16, 16, 5]);
  assert.deepEqual(
    all().map(({ name, shape }) => [name, shape]),
    [
      ['down.weight', [27, 4]],
      ['down.bias', [4]],
      ['up.weight', [80, 6]],
      ['up.bias', [5]],
    ],
  );
});

test('a parameter declared again under its name is the same tensor', () => {
  const { root, all } = parameters();
  const first = root.at('a').parameter('w', [2, 3], constantly(0));
  assert.equal(root.at('a').parameter('w', [2, 3], constantly(1)), first);
  assert.equal(all().length, 1);
});

test('another shape under the same name is refused, with both shapes', () => {
  const { root } = parameters();
  root.at('a').parameter('w', [2, 3], constantly(0));
  assert.throws(
    () => root.at('a').parameter('w', [3, 2], constantly(0)),
    /a\.w: declared as \[2,3\] and again as \[3,2\]/,
  );
});
