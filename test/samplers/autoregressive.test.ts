/** The prior over codes: causal, a probability, drawn as it says, and fitted to rows whose law is known. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { make } from '../../src/choice.ts';
import { stream } from '../../src/random/index.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import {
  type Fitting,
  meanOf,
  type SamplerFamily,
  samplers,
  type Tensors,
} from '../../src/samplers/index.ts';
import { maskedNetwork } from '../../src/samplers/masked.ts';
import { type Known, nextSymbol, symbolDensity, symbolTraining } from '../../src/samplers/symbols.ts';
import { transformer } from '../../src/samplers/transformer.ts';
import { checkGradients } from '../check.ts';
import { parameterFeeds } from '../nn/feeds.ts';
import { evaluate, value } from '../reference.ts';

const runtime = nodeRuntime({ threads: 1 });
const form = { length: 3, entries: 3 };
const every = Array.from({ length: 27 }, (_, i) => [i % 3, Math.floor(i / 3) % 3, Math.floor(i / 9)]);
const networks: Readonly<Record<string, Known>> = {
  'masked network': maskedNetwork({ width: 8, layers: 3 }),
  transformer: transformer({ width: 8, layers: 2, heads: 2 }),
};

for (const [name, known] of Object.entries(networks)) {
  const training = symbolTraining(known, form);
  /** Weights as they start, larger, so that the law is far from uniform. */
  const weights = Object.fromEntries(
    Object.entries(parameterFeeds(training.parameters, 5)).map(([own, v]) => [
      own,
      { ...v, data: v.data.map((w) => 3 * w) },
    ]),
  );
  const rows = { x: value(every.flat(), [every.length, form.length]) };
  const logProbs = evaluate([symbolDensity(known, form)['logProb']!], { ...weights, ...rows })[0]!.data;

  test(`${name}: the probabilities of all rows add up to 1`, () => {
    const p = logProbs.map(Math.exp);
    assert.ok(Math.abs(p.reduce((a, b) => a + b) - 1) < 1e-9);
    assert.ok(Math.max(...p) > 3 * Math.min(...p), 'they differ');
  });

  test(`${name}: the laws of the next symbols make that of the row, whatever stands behind`, () => {
    const next = (n: number) => {
      const at = value(
        [0, 1, 2].map((i) => Number(i === n)),
        [1, form.length],
      );
      return evaluate([nextSymbol(known, form)['logits']!], { ...weights, ...rows, at })[0]!.data;
    };
    const laws = [0, 1, 2].map(next);
    every.forEach((row, i) => {
      const each = row.map((symbol, n) => {
        const logits = Array.from(laws[n]!.subarray(3 * i, 3 * i + 3));
        return logits[symbol]! - Math.log(logits.reduce((sum, v) => sum + Math.exp(v), 0));
      });
      assert.ok(Math.abs(each.reduce((a, b) => a + b) - logProbs[i]!) < 1e-9);
    });
    const first = (i: number) => Array.from(laws[0]!.subarray(3 * i, 3 * i + 3));
    assert.deepEqual(first(0), first(26));
  });

  test(`${name}: the gradient of the loss is that of central differences`, () => {
    const feeds = { ...weights, x: value([0, 1, 2, 2, 1, 0], [2, 3]), scale: value([0.5], []) };
    checkGradients(
      training.outputs['loss']!,
      training.parameters.map((p) => p.tensor),
      feeds,
    );
  });
}

/** Rows whose second symbol is the first or the next, and whose third is the sum of both, modulo 4. */
function lawful(count: number, seed: number): Float32Array {
  const random = stream(seed, 'lawful');
  const rows = Array.from({ length: count }, () => {
    const first = random.integer(4);
    const second = (first + random.integer(2)) % 4;
    return [first, second, (first + second) % 4];
  });
  return Float32Array.from(rows.flat());
}

const families: Readonly<Record<'autoregressive' | 'transformer', SamplerFamily>> = {
  autoregressive: make(samplers.autoregressive, { width: 64, layers: 2, epochs: 20 }),
  transformer: make(samplers.transformer, { width: 32, layers: 2, heads: 4, epochs: 20 }),
};

async function fitted(
  fitting: Partial<Fitting> = {},
  family = families.autoregressive,
): Promise<{ tensors: Tensors; rounds: number; validation: readonly number[] }> {
  const steps = family.fit({
    form: { width: 3, entries: 4 },
    train: { rows: lawful(2000, 1) },
    validation: { rows: lawful(300, 2) },
    seed: 1,
    runtime,
    ...fitting,
  });
  const validation: number[] = [];
  for (;;) {
    const { done, value } = await steps.next();
    if (done) return { tensors: value, rounds: validation.length, validation };
    validation.push(value.validation!);
  }
}

for (const [kind, family] of Object.entries(families))
  test(`${kind}: a fit learns the law of the rows, draws by it, and is the same again`, async () => {
    const { tensors } = await fitted({}, family);
    const form = { width: 3, entries: 4 };
    for (const [name, shape] of Object.entries(family.shapes(form)))
      assert.deepEqual(tensors[name]!.shape, shape, name);
    const sampler = await family.open(tensors, form, runtime);
    const mean = meanOf(await sampler.logProbs({ rows: lawful(300, 3) }));
    assert.ok(mean > -Math.log(8) - 0.1, `log p ${mean}, at best ${-Math.log(8)}`); // 4 · 2 equally likely rows
    const count = 400;
    const rows = await sampler.draw(count, stream(0, 'draw'), 1);
    const seen = new Map<string, number>();
    for (let i = 0; i < count; i++) {
      const row = rows.subarray(3 * i, 3 * i + 3);
      seen.set(row.join(), (seen.get(row.join()) ?? 0) + 1);
    }
    const right = [...seen].filter(([row]) => {
      const [a, b, c] = row.split(',').map(Number) as [number, number, number];
      return (b === a || b === (a + 1) % 4) && c === (a + b) % 4;
    });
    assert.equal(right.length, 8, 'each of the eight rows there are');
    assert.ok(right.reduce((n, [, times]) => n + times, 0) > 0.95 * count);
    await sampler.dispose();
    const once = { train: { rows: lawful(200, 1) } };
    assert.deepEqual(await fitted(once, family), await fitted(once, family));
  });

/** Two symbols: the class that is given, and any. */
function ofClasses(count: number, seed: number) {
  const random = stream(seed, 'classes');
  const classes = Array.from({ length: count }, () => random.integer(4));
  const given = classes.flatMap((own) => [0, 1, 2, 3].map((other) => Number(other === own)));
  const rows = classes.flatMap((own) => [own, random.integer(4)]);
  return { rows: Float32Array.from(rows), given: Float32Array.from(given), classes };
}

for (const [kind, family] of Object.entries(families))
  test(`${kind}: what is given decides what is drawn, and what is likely`, async () => {
    const form = { width: 2, entries: 4, given: 4 };
    const { tensors } = await fitted(
      { form, train: ofClasses(3000, 1), validation: ofClasses(200, 2) },
      family,
    );
    const sampler = await family.open(tensors, form, runtime);
    const { given, classes } = ofClasses(200, 3);
    const rows = await sampler.draw(200, stream(0, 'draw'), 1, given);
    const right = classes.filter((own, i) => rows[2 * i] === own).length;
    assert.ok(right > 190, `${right} of 200 draws are of the class that is given`);
    const logProbs = async (own: Float32Array) => meanOf(await sampler.logProbs({ rows, given: own }));
    const others = given.map((_, i) => given[4 * Math.floor(i / 4) + ((i + 1) % 4)]!);
    const [told, misled] = [await logProbs(given), await logProbs(others)];
    assert.ok(
      told > -Math.log(4) - 0.2 && misled < told - 2,
      `${told} with the class, ${misled} with another`,
    );
    await sampler.dispose();
  });

test('a fit ends when held-back rows no longer gain, and keeps the best', async () => {
  const random = stream(4, 'noise');
  const noise = (count: number) => Float32Array.from({ length: count * 3 }, () => random.integer(4));
  const [train, held] = [noise(300), noise(60)];
  const found = await fitted({ train: { rows: train }, validation: { rows: held } });
  const { tensors, rounds, validation } = found;
  assert.ok(rounds < 20, `${rounds} rounds on rows in which there is nothing to learn`);
  const sampler = await families.autoregressive.open(tensors, { width: 3, entries: 4 }, runtime);
  const kept = meanOf(await sampler.logProbs({ rows: held }));
  await sampler.dispose();
  assert.ok(Math.abs(kept - Math.max(...validation)) < 1e-5, `${kept} of ${validation}`);
});

test('a fit that is told to end keeps what it has, at once', async () => {
  const { tensors, rounds } = await fitted({ signal: { aborted: true } });
  assert.equal(rounds, 1);
  assert.ok(tensors['weight']!.data.every(Number.isFinite));
});

test('more symbols than can be learned one by one are refused', () => {
  const family = make(samplers.autoregressive);
  assert.match(family.refuses!({ width: 64, entries: 65_536 })!, /64 places of 65536 symbols are too many/);
  assert.equal(family.refuses!({ width: 64, entries: 1024 }), undefined);
  assert.match(
    family.refuses!({ width: 2048, entries: 512 })!,
    /2048 places are too many for a masked network/,
  );
  const attending = make(samplers.transformer);
  assert.equal(attending.refuses!({ width: 512, entries: 512 }), undefined);
  assert.match(attending.refuses!({ width: 1024, entries: 512 })!, /1024 places are too many for 4 heads/);
});

test('features that do not part into heads are refused', () => {
  assert.throws(
    () => make(samplers.transformer, { width: 10, heads: 4 }),
    /width 10 does not part into 4 heads/,
  );
});
