/** One small training whose losses are written down: a change of any formula, stream or default on the way shows here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { lossesOf, run } from './toy.ts';

const EXPECTED: readonly number[] = [
  3.78999, 3.60081, 3.81604, 4.06873, 3.59427, 1.76018, 3.48038, 3.24676, 2.84741, 2.88854, 3.19496, 3.08751,
  2.94185, 3.40863, 2.37072, 2.52455, 3.10952, 3.68904, 3.00873, 2.91318, 2.38352, 3.06311, 2.09233, 4.80599,
];

test('the loss curve of a small training is the one written down', async () => {
  const losses = lossesOf(await run({ runtime: nodeRuntime({ threads: 1 }), clip: 2 }));
  assert.equal(losses.length, EXPECTED.length, losses.map((v) => v.toFixed(5)).join(', '));
  losses.forEach((loss, i) => {
    const expected = EXPECTED[i]!;
    assert.ok(Math.abs(loss - expected) < 1e-4 * expected, `step ${i + 1}: ${loss}, expected ${expected}`);
  });
});
