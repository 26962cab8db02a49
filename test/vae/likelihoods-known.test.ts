/** log p and its parameters against numbers computed elsewhere, and float32 against float64 where it is hardest. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LikelihoodName, logProb } from '../../src/vae/index.ts';
import { evaluate } from '../reference.ts';
import { type Known, knownDensities } from './known-densities.ts';
import { asX, built } from './laws.ts';

const close = (actual: number, expected: number, by: number, what: string) =>
  assert.ok(
    Math.abs(actual - expected) <= by * Math.max(1, Math.abs(expected)),
    `${what}: ${actual}, expected ${expected}`,
  );

for (const [name, list] of Object.entries(knownDensities) as [LikelihoodName, readonly Known[]][]) {
  test(`${name}: log p is that of SciPy`, () => {
    for (const { options = {}, values, natural, known } of list) {
      const rows = known.map(([x]) => (typeof x === 'number' ? [x] : x));
      const { likelihood, feeds, x } = built(name, { options, values, size: rows[0]!.length });
      const at = `${JSON.stringify(options)} ${JSON.stringify(values)}`;
      const found = evaluate(Object.values(likelihood.values), feeds);
      assert.deepEqual(Object.keys(likelihood.values), Object.keys(natural));
      Object.entries(natural).forEach(([parameter, expected], p) => {
        expected.forEach((v, i) => {
          close(found[p]!.data[i]!, v, 1e-6, `${parameter} of ${at}`);
        });
      });
      const [logP] = evaluate([logProb(likelihood, x)], { ...feeds, x: asX(rows) });
      known.forEach(([point, expected], i) => {
        close(logP!.data[i]!, expected, 1e-6, `log p(${point}), ${at}`);
      });
    }
  });
}
