/** Means in a field's own units are integrals over its law, and their slopes the differences of these. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectedOf } from '../../src/data/expected.ts';
import { fitQuantile, quantileCodec } from '../../src/data/quantile.ts';
import type { ModelField, QuantileTransform, Transform } from '../../src/data/schema.ts';
import { near } from '../metrics/near.ts';

const numberOf = (transform: Transform): ModelField => ({
  name: 'a',
  role: 'model',
  type: 'number',
  missing: false,
  missingShare: 0,
  decimals: null,
  min: 0,
  max: 1,
  distinct: 2,
  likelihood: 'gaussian',
  transform,
});

/** ∫ v(x) N(x; mean, deviation²) dx by a fine rule. */
function integral(transform: QuantileTransform, mean: number, deviation: number): number {
  const { decode } = quantileCodec(transform);
  const [step, end] = [1e-4, 9];
  let sum = 0;
  for (let u = -end + step / 2; u < end; u += step)
    sum += decode(mean + deviation * u) * Math.exp(-0.5 * u * u);
  return (sum * step) / Math.sqrt(2 * Math.PI);
}

const columns = {
  'few values': Float64Array.from({ length: 300 }, (_, i) => [0, 0, 0, 5, 12, 70][i % 6]!),
  continuous: Float64Array.from({ length: 2000 }, (_, i) => Math.exp(3 * Math.sin(i))),
  'mostly zero': Float64Array.from({ length: 1000 }, (_, i) => (i % 20 === 0 ? 1000 + i : 0)),
};

for (const [name, column] of Object.entries(columns))
  test(`normal scores of a column: ${name}`, () => {
    const transform = fitQuantile(column.sort(), name === 'few values');
    const { value, slopes } = expectedOf(numberOf(transform));
    const range = column.at(-1)! - column[0]!;
    for (const mean of [-1.2, 0.1, 2])
      for (const deviation of [0.3, 1]) {
        near(value(mean, deviation), integral(transform, mean, deviation), 1e-3 * range);
        const h = 1e-5;
        const [byMean, byDeviation] = slopes(mean, deviation);
        near(byMean, (value(mean + h, deviation) - value(mean - h, deviation)) / (2 * h), 1e-6 * range);
        near(byDeviation, (value(mean, deviation + h) - value(mean, deviation - h)) / (2 * h), 1e-6 * range);
      }
    near(value(-60, 1), column[0]!, 1e-9);
    near(value(0.3, 0), value(0.3, 1e-9), 1e-9);
  });

test('straight scales, angles, words and pixels', () => {
  const standard = expectedOf(numberOf({ kind: 'standard', mean: 40, sd: 12 }));
  assert.deepEqual([standard.value(0.5, 3), ...standard.slopes(0.5, 3)], [46, 12, 0]);
  const range = expectedOf(numberOf({ kind: 'range', low: 2, high: 10 }));
  assert.deepEqual([range.value(0.25, 0), ...range.slopes(0, 0)], [4, 8, 0]);
  const turn = expectedOf(numberOf({ kind: 'turn', period: 360 }));
  near(turn.value(-Math.PI / 2, 0), 270, 1e-9);
  near(turn.slopes(-Math.PI / 2, 0)[0], 360 / (2 * Math.PI), 1e-9);
  const common = { name: 'a', role: 'model', missing: false, missingShare: 0 } as const;
  const word = expectedOf({
    ...common,
    type: 'category',
    categories: ['a', 'b'],
    counts: [1, 1],
    likelihood: 'categorical',
  });
  assert.deepEqual([word.value(0.3, 0), ...word.slopes(0.3, 0)], [0.3, 1, 0]);
  const picture = expectedOf({
    ...common,
    type: 'image',
    height: 1,
    width: 1,
    channels: 1,
    binarize: 'none',
    likelihood: 'gaussian',
  });
  assert.equal(picture.value(0.2, 0), 51);
});
