/** Sampled KLs: what they are on average, how their gradients are on average, and that they are still where q is p. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradients, mul, sub, sum } from '../../src/graph/index.ts';
import { observation, type PosteriorName, type PriorName, terms } from '../../src/vae/index.ts';
import { compile, evaluate, value } from '../reference.ts';
import { closeToMean, model, type Named, nameOf, noiseFor, rowsWith } from './latent.ts';

const pairs: readonly (readonly [Named<PosteriorName>, Named<PriorName>])[] = [
  ['gaussian', ['mixture', { components: 3 }]],
  ['gaussianFull', ['vampPrior', { components: 3 }]],
  ['householder', 'learnedNormal'],
  [['planar', { steps: 2 }], 'normal'],
  [
    ['iaf', { steps: 2, width: 4 }],
    ['maf', { steps: 2, width: 4 }],
  ],
  ['wrappedNormal', 'poincareNormal'],
];

const REPEATS = 60;
const SAMPLES = 50;

for (const [q, p] of pairs)
  test(`${nameOf(q)} and ${nameOf(p)}: value and gradient of the sampled KL have the means of log q − log p and its gradient`, () => {
    const spec = rowsWith(q, p);
    const { vae, feeds } = model(spec, { spread: 0.6 });
    const [level] = terms(vae, observation(spec), { samples: SAMPLES, progress: 1 }).levels;
    const { kl, logQz, logPz } = level!;
    assert.equal(kl.shape.at(-1), 1);
    const difference = mul(1 / SAMPLES, sub(sum(kl), sum(sub(logQz, logPz))));
    const tensors = vae.parameters.filter(({ name }) => /^(posterior|prior)/.test(name)).map((x) => x.tensor);
    const outputs = [difference, ...gradients(difference, tensors)];
    const run = compile(outputs);
    const found = Array.from({ length: REPEATS }, (_, i) =>
      run({ ...feeds, ...noiseFor(outputs, 1, i) }).flatMap(({ data }) => [...data]),
    );
    found[0]!.forEach((_, i) => {
      closeToMean(
        found.map((values) => values[i]!),
        0,
        i === 0 ? 'value' : `gradient ${i}`,
      );
    });
  });

/** The least and largest of KL and its gradients over draws from a posterior that is its prior. */
function atPrior(q: PosteriorName, p: Named<PriorName>): number {
  const spec = rowsWith(q, p);
  const { vae, feeds } = model(spec);
  const [level] = terms(vae, observation(spec), { samples: 3, progress: 1 }).levels;
  const own = vae.parameters.filter(({ name }) => name.startsWith('posterior'));
  const outputs = [
    level!.kl,
    ...gradients(
      sum(level!.kl),
      own.map(({ tensor }) => tensor),
    ),
  ];
  const zeros = vae.parameters
    .filter(({ name }) => name.startsWith('posterior') || /^prior.*output/.test(name))
    .map(({ name, shape }) => [name, value(Array(shape.reduce((a, b) => a * b)).fill(0), shape)] as const);
  const found = evaluate(outputs, { ...feeds, ...noiseFor(outputs, 1), ...Object.fromEntries(zeros) });
  return Math.max(...found.flatMap(({ data }) => [...data].map(Math.abs)));
}

test('where q is p a sampled KL and its gradient are 0 in every draw, so that nothing drives q away or back', () => {
  assert.ok(atPrior('gaussian', ['realNVP', { width: 4 }]) < 1e-6);
  assert.ok(atPrior('gaussianFull', ['maf', { width: 4 }]) < 1e-6);
  assert.ok(atPrior('wrappedNormal', 'poincareNormal') < 1e-5);
});
