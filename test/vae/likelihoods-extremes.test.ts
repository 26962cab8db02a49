/** Every likelihood in float32 through ONNX Runtime where decoders go astray: what is finite, and how near to float64. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradients, input, sum, type Tensor } from '../../src/graph/index.ts';
import { stream, variates } from '../../src/random/index.ts';
import { bernoulli, type Law, type LikelihoodName, logProb, type Support } from '../../src/vae/index.ts';
import { runOnce } from '../graph/ort.ts';
import { evaluate, type Feeds, type Value, value } from '../reference.ts';
import { type LawCase, lawCases } from './law-cases.ts';
import { built, gridOf } from './laws.ts';

/** What each parameter is set to, in every combination. */
const RAW = [-100, -10, 0, 10, 100];
/** Of four parameters. */
const FEW = [-100, 0, 100];

/** x far out in every set, and 0, as which missing values come. */
const FAR: Readonly<Record<Support, readonly number[]>> = {
  binary: [0, 1],
  class: [0, 1],
  order: [0, 1],
  unit: [0, 0.3, 1],
  real: [-1e4, 0, 1e4],
  positive: [0, 1e-6, 1, 1e6],
  count: [0, 1, 30, 1e6],
  angle: [-3.1, 0, 1.5],
};

function farOut({ support, levels }: Law): readonly number[] {
  if (levels === undefined) return FAR[support];
  return support === 'count' ? [0, 1, levels - 1] : [0, 1 / (levels - 1), 1];
}

const combinations = (values: readonly number[], count: number): number[][] =>
  count === 0 ? [[]] : combinations(values, count - 1).flatMap((head) => values.map((v) => [...head, v]));

/** Feeds with a row for each combination of raw values and each x. */
function problem(name: LikelihoodName, c: LawCase) {
  const { law, likelihood, feeds, x, inputs, tensors } = built(name, c, 'B');
  const raw = combinations(c.values.length > 3 ? FEW : RAW, c.values.length);
  const rows = raw.flatMap((values) => farOut(law).map((at) => ({ values, at })));
  const filled = (f: (row: (typeof rows)[number]) => number, width: number): Value => {
    const data = rows.flatMap((row) => Array<number>(width).fill(Math.fround(f(row))));
    return value(data, [1, rows.length, width]);
  };
  const fed = inputs.map(
    (t, i) => [t.name!, filled(({ values }) => values[i]!, Number(t.shape[2]))] as const,
  );
  const all: Feeds = { ...feeds, ...Object.fromEntries(fed), x: filled(({ at }) => at, c.size) };
  return { law, likelihood, x, feeds: all, inputs, tensors, rows };
}

type Row = ReturnType<typeof problem>['rows'][number];

/** Beyond, what holds a parameter within its bounds is flat in float32 and has no slope to compare. */
const straight = ({ values }: Row): boolean => values.every((v) => Math.abs(v) <= 10);

const entries = Object.entries(lawCases) as [LikelihoodName, readonly LawCase[]][];

for (const [name, list] of entries) {
  test(`${name}: log p and its gradient are finite, and those of float64`, async () => {
    for (const c of list) {
      const { likelihood, x, feeds, inputs, tensors, rows } = problem(name, c);
      const logP = logProb(likelihood, x);
      const slopes = gradients(sum(logP), tensors).map((g, i) => [`slope ${i}`, g] as const);
      const outputs: Record<string, Tensor> = { logP, ...Object.fromEntries(slopes) };
      const expected = evaluate(Object.values(outputs), feeds);
      const found = await runOnce(outputs, feeds);
      Object.keys(outputs).forEach((key, o) => {
        const perRow = expected[o]!.data.length / rows.length; // of a decoded parameter; what is learned has no rows
        found[key]!.data.forEach((v, i) => {
          const e = expected[o]!.data[i]!;
          const row = rows[Math.floor(i / perRow)];
          const what = `${key} of ${JSON.stringify(row)}: ${v}, in float64 ${e}`;
          assert.ok(Number.isFinite(v), what);
          if (key === 'logP' || (o <= inputs.length && straight(row!)))
            assert.ok(Math.abs(v - e) <= 2e-4 * Math.max(1, Math.abs(e)), what);
        });
      });
    }
  });

  test(`${name}: what is drawn is finite, whatever the decoder gives`, () => {
    for (const c of list) {
      const { law, likelihood, feeds, rows } = problem(name, c);
      const random = variates(stream(5, name));
      const out = new Float32Array(c.size);
      const values = Object.entries(likelihood.values);
      const found = evaluate(
        values.map(([, t]) => t),
        feeds,
      );
      rows.forEach((row, r) => {
        const own = values.map(([key], i) => {
          const { data, shape } = found[i]!;
          const width = shape.at(-1)!;
          return [
            key,
            Float32Array.from(shape.length > 1 ? data.subarray(r * width, (r + 1) * width) : data),
          ];
        });
        law.draw(Object.fromEntries(own), random, out, gridOf(c));
        assert.ok(out.every(Number.isFinite), `${out} drawn at ${JSON.stringify(row)}`);
      });
    }
  });
}

test('log p of a whole binary picture is the sum over its pixels, at any logits and where every one says nothing', async () => {
  const [samples, size] = [3, 784];
  const x = input('x', [1, 'B', size]);
  const logits = input('logits', [samples, 'B', size]);
  const likelihood = bernoulli(logits);
  const whole = logProb(likelihood, x);
  const slope = gradients(sum(whole), [logits])[0]!;
  const far = [0, 1e-3, -1, 4, -16, 90, -1e4];
  const seen = Float64Array.from({ length: size }, (_, i) => (i % 5) / 4);
  const given = Float64Array.from({ length: samples * size }, (_, i) =>
    i < size ? 0 : far[i % far.length]!,
  );
  const feeds = { x: value(seen, [1, 1, size]), logits: value(given.map(Math.fround), [samples, 1, size]) };
  const run = await runOnce({ whole, slope }, feeds);
  const [each, sigma] = evaluate([likelihood.logProbs(x), likelihood.mean], feeds) as [Value, Value];
  for (let k = 0; k < samples; k++) {
    const exact = each.data.slice(k * size, (k + 1) * size).reduce((a, b) => Number(a) + Number(b), 0);
    const difference = Math.abs(Number(run['whole']!.data[k]) - Number(exact));
    assert.ok(difference < 1e-5 + 1e-6 * Math.abs(Number(exact)), `${run['whole']!.data[k]}, not ${exact}`);
  }
  run['slope']!.data.forEach((v, i) => {
    const exact = seen[i % size]! - Number(sigma.data[i]);
    assert.ok(Math.abs(Number(v) - exact) < 1e-6, `slope at ${given[i]}: ${v}, not ${exact}`);
  });
});
