/** Intervals hold what they say: the true figure in about 95 of 100. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  counting,
  cubic,
  discrepancy,
  type Estimate,
  frechetDistance,
  holes,
  importanceWeights,
  jackknife,
  meanOf,
  moments,
  pointsOf,
  shareOf,
  THIN,
  through,
} from '../../src/metrics/index.ts';
import { stream } from '../../src/random/index.ts';
import { near } from './near.ts';

const normals = (count: number, ...key: [number, number?]): Float32Array => {
  const out = new Float32Array(count);
  stream(1, 'metrics', key[0], key[1] ?? 0).normal(out);
  return out;
};

/** Of so many repetitions how many intervals hold the truth. */
const held = (repetitions: number, truth: number, estimate: (turn: number) => Estimate): number => {
  let hits = 0;
  for (let turn = 0; turn < repetitions; turn++) {
    const { low, high } = estimate(turn);
    hits += Number(low <= truth && truth <= high);
  }
  return hits / repetitions;
};

test('moments that come one by one are those of the whole', () => {
  const values = [4, -1, 7.5, 2, 2];
  const m = moments(values);
  near(m.mean(), 2.9, 1e-12);
  near(m.variance(), 9.8, 1e-12);
  const { low, high } = meanOf(m);
  near(high - low, 2 * 1.959963984540054 * Math.sqrt(9.8 / 5), 1e-12);
  assert.deepEqual(meanOf(moments([3])), {
    value: 3,
    low: Number.NEGATIVE_INFINITY,
    high: Number.POSITIVE_INFINITY,
  });
});

test('a share of none or all has an interval too (Wilson 1927)', () => {
  const none = shareOf(0, 10);
  assert.deepEqual([none.value, none.low], [0, 0]);
  near(none.high, 0.277533, 1e-6);
  const some = shareOf(7, 20); // scipy.stats.binomtest(7, 20).proportion_ci(method='wilson')
  near(some.low, 0.181192, 1e-5);
  near(some.high, 0.567146, 1e-5);
  assert.equal(shareOf(10, 10).high, 1);
});

test('a falling function turns the interval', () => {
  assert.deepEqual(
    through({ value: 2, low: 1, high: 4 }, (v) => -v),
    { value: -2, low: -4, high: -1 },
  );
});

test('counts say what passes for sure and perhaps', () => {
  const each = [0, 1, 2].map((value) => ({ value, low: value - 0.6, high: value + 0.6 }));
  assert.deepEqual(counting(each, 0.5), { value: 2, low: 1, high: 3 });
});

test('the jackknife’s interval of a variance holds the true one', () => {
  const share = held(200, 1, (turn) => {
    const values = normals(200, turn);
    const every = Int32Array.from(values.keys());
    return jackknife(every, (rows) => ({ v: moments(Array.from(rows, (i) => values[i]!)).variance() }))['v']!;
  });
  assert.ok(share > 0.89 && share < 0.99, `${share}`);
});

test('the discrepancy is unbiased and its interval right, where the distributions are one and where not', () => {
  const draw = (turn: number, shift: number) => {
    const [a, b] = [0, 1].map((set) => pointsOf(normals(240, turn, set + 10 * shift), 2));
    return discrepancy(a!, { ...b!, data: b!.data.map((v) => v + shift) }, cubic);
  };
  for (const shift of [0, 1]) {
    const all = Array.from({ length: 100 }, (_, turn) => draw(turn, shift));
    const values = moments(all.map(({ value }) => value));
    const error = Math.sqrt(values.variance() / 100);
    const truth = shift === 0 ? 0 : values.mean();
    if (shift === 0) assert.ok(Math.abs(values.mean()) < 3 * error, `${values.mean()} ± ${error}`);
    const hits = all.filter(({ low, high }) => low <= truth && truth <= high).length / 100;
    assert.ok(hits > 0.87, `${hits} at shift ${shift}`);
    const width = moments(all.map(({ low, high }) => (high - low) / (2 * 1.96))).mean();
    const ratio = width / Math.sqrt(values.variance());
    assert.ok(ratio > 0.8 && ratio < 1.3, `${ratio} at shift ${shift}`);
  }
});

test('the Fréchet distance varies from set to set as its interval says', () => {
  const all = Array.from({ length: 150 }, (_, turn) => {
    const [a, b] = [0, 1].map((set) => pointsOf(normals(400, turn, set), 2));
    return frechetDistance(a!, { ...b!, data: b!.data.map((v, i) => (i % 2 ? 2 * v : v + 1)) });
  });
  const values = moments(all.map(({ value }) => value));
  const width = moments(all.map(({ low, high }) => (high - low) / (2 * 1.96))).mean();
  near(values.mean(), 2, 0.12); // |μ₁ − μ₂|² + (σ₁ − σ₂)²
  const ratio = width / Math.sqrt(values.variance());
  assert.ok(ratio > 0.85 && ratio < 1.15, `${ratio}`);
});

test('the interval of draws in holes holds the true share where the prior is what the posteriors add up to', () => {
  const draws = (turn: number, which: number) => Float64Array.from(normals(300, turn, which));
  const share = held(400, THIN, (turn) => holes({ logQzOfOthers: draws(turn, 0) }, draws(turn, 1)));
  assert.ok(share > 0.92 && share < 0.985, `${share}`);
});

test('weights that come in any number of lots have one mean, without overflow', () => {
  const logs = [-1000, -1003, 2, -2, -999, -1001, 5, Number.NEGATIVE_INFINITY]; // of two rows… [samples, rows]
  const [whole, lots] = [importanceWeights(2), importanceWeights(2)];
  whole.add(logs, 4);
  lots.add(logs.slice(0, 2), 1);
  lots.add(logs.slice(2), 3);
  assert.deepEqual([...lots.logMean()], [...whole.logMean()]);
  const expected = Math.log((Math.exp(2 - 5) + 1) / 4) + 5; // −1000 and −999 vanish beside 2 and 5
  near(whole.logMean()[0]!, expected, 1e-12);
  const second = [-1003, -2, -1001].map((v) => Math.exp(v + 2));
  near(whole.logMean()[1]!, Math.log(second.reduce((a, b) => a + b, 0) / 4) - 2, 1e-12);
  near(whole.effective()[0]!, (Math.exp(-3) + 1) ** 2 / (Math.exp(-6) + 1), 1e-12);
  const equal = importanceWeights(1);
  equal.add([-7, -7, -7], 3);
  near(equal.effective()[0]!, 3, 1e-12);
  near(equal.meanLog()[0]!, -7, 1e-12);
});
