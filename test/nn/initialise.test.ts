import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  constantly,
  glorotUniform,
  heUniform,
  type Initialiser,
  initialise,
  leCunUniform,
  parameters,
} from '../../src/nn/index.ts';
import { stream } from '../../src/random/index.ts';

const COUNT = 200_000;

function drawn(initialiser: Initialiser): Float32Array {
  const out = new Float32Array(COUNT);
  initialiser(out, stream(3, 'test'));
  return out;
}

/** The published variance of each, and the uniform law that has it. */
const laws: Record<string, { initialiser: Initialiser; variance: number }> = {
  'He et al. 2015: 2 / fan in': { initialiser: heUniform(50), variance: 2 / 50 },
  'Glorot & Bengio 2010: 2 / (fan in + fan out)': { initialiser: glorotUniform(50, 14), variance: 2 / 64 },
  'a third of LeCun et al. 1998: 1 / (3 fan in)': { initialiser: leCunUniform(50), variance: 1 / 150 },
};

for (const [name, { initialiser, variance }] of Object.entries(laws)) {
  test(name, () => {
    const values = drawn(initialiser);
    const mean = values.reduce((a, b) => a + b, 0) / COUNT;
    const square = values.reduce((a, b) => a + b * b, 0) / COUNT;
    const bound = Math.sqrt(3 * variance);
    assert.ok(Math.abs(mean) < (4 * bound) / Math.sqrt(3 * COUNT), `mean ${mean}`);
    // the variance of x² for a uniform law is 4/5 of its squared mean
    const error = variance * Math.sqrt(0.8 / COUNT);
    assert.ok(Math.abs(square - variance) < 4 * error, `variance ${square}, expected ${variance}`);
    const largest = values.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    assert.ok(largest <= Math.fround(bound) && largest > 0.999 * bound, `largest ${largest} of ${bound}`);
  });
}

test('a constant is constant', () => {
  assert.deepEqual(new Set(drawn(constantly(0.5))), new Set([0.5]));
});

test('values depend on the seed and the name, not on the order of declaration', () => {
  const values = (names: readonly string[], seed: number): Record<string, string> => {
    const { root, all } = parameters();
    for (const name of names) root.parameter(name, [4, 4], leCunUniform(4));
    const filled = all().map((p) => {
      const out = new Float32Array(16);
      initialise(p, out, seed);
      return [p.name, out.join()];
    });
    return Object.fromEntries(filled);
  };
  assert.deepEqual(values(['a', 'b'], 1), values(['b', 'a'], 1));
  assert.notEqual(values(['a', 'b'], 1)['a'], values(['a', 'b'], 1)['b']);
  assert.notEqual(values(['a'], 1)['a'], values(['a'], 2)['a']);
});
