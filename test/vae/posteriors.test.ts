/** Posteriors over ℝᶻ, the sphere and the ball: densities, draws, closed forms, float32, extremes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { add, gradients, input, sub, sum } from '../../src/graph/index.ts';
import {
  encoderGraph,
  fullGaussian,
  importanceGraph,
  make,
  objectives,
  observation,
  type PosteriorName,
  type PriorName,
  trainingGraph,
} from '../../src/vae/index.ts';
import { checkGradients } from '../check.ts';
import { expectClose, open, runOnce } from '../graph/ort.ts';
import { compile, evaluate, value } from '../reference.ts';
import {
  checkDraws,
  closeToMean,
  coverOf,
  latentFor,
  model,
  type Named,
  nameOf,
  noiseFor,
  posterior,
  rowsWith,
} from './latent.ts';
import { close, mean } from './training.ts';

/** A posterior and the prior it is used with. */
const cases = {
  gaussian: ['gaussian', 'normal'],
  gaussianFull: ['gaussianFull', 'normal'],
  planar: [['planar', { steps: 3 }], 'normal'],
  radial: [['radial', { steps: 3 }], 'normal'],
  householder: [['householder', { steps: 2 }], 'normal'],
  iaf: [['iaf', { steps: 2, width: 5 }], 'normal'],
  vonMisesFisher: ['vonMisesFisher', 'uniformSphere'],
  wrappedNormal: ['wrappedNormal', 'poincareNormal'],
} as const satisfies Partial<Record<PosteriorName, readonly [Named<PosteriorName>, Named<PriorName>]>>;

const COUNT = 5000;

for (const [name, [q, p]] of Object.entries(cases)) {
  const { space, density } = posterior(q);
  const latent = latentFor(space);
  const spec = rowsWith(q, p, latent);

  if (!density)
    test(`${name}: its density is that of its draws: by it they can stand for those of another`, () => {
      const { vae, feeds } = model(spec);
      const { z, logQz } = vae.encode(observation(spec)).draw(COUNT);
      const [draws, logP] = evaluate([z, logQz], { ...feeds, ...noiseFor([z], 1) });
      const columns = [0, 1].map((j) => draws!.data.filter((_, i) => i % 2 === j));
      const laws = columns.map((v) => {
        const centre = mean(v);
        return { centre, variance: mean(v.map((x) => (x - centre) ** 2)) / 4 };
      });
      // a Gaussian of half the width, well inside q
      const logTarget = (i: number) =>
        laws
          .map(({ centre, variance }, j) => [(columns[j]![i]! - centre) ** 2 / variance, variance] as const)
          .reduce((sum, [square, variance]) => sum - 0.5 * (square + Math.log(2 * Math.PI * variance)), 0);
      closeToMean(
        logP!.data.map((v, i) => Math.exp(logTarget(i) - v)),
        1,
        'mean weight',
      );
    });

  if (density)
    test(`${name}: its density adds up to 1 and has the moments of its draws`, () => {
      const { vae, feeds } = model(spec);
      const cover = coverOf(space);
      const encoded = vae.encode(observation(spec));
      const at = input('at', [cover.points.length, 'B', latent]);
      const { z, logQz } = encoded.draw(COUNT);
      const [logP, draws, own, again] = evaluate([encoded.logProb!(at), z, logQz, encoded.logProb!(z)], {
        ...feeds,
        ...noiseFor([z], 1),
        at: value(cover.points.flat(), [cover.points.length, 1, latent]),
      });
      checkDraws(logP!.data, cover, draws!.data);
      own!.data.forEach((v, i) => {
        close(again!.data[i]!, v, 1e-6 * Math.max(1, Math.abs(v)), `density of draw ${i}`);
      });
    });

  test(`${name}: gradients of a bound over two samples are those of central differences`, () => {
    const { vae, feeds } = model(spec, { batch: 2 });
    const { loss } = trainingGraph(vae, make(objectives.iwae, { samples: 2 })).outputs;
    const tensors = vae.parameters.map((parameter) => parameter.tensor);
    checkGradients(loss!, tensors, { ...feeds, ...noiseFor([loss!], 2) });
  });

  test(`${name}: ONNX Runtime gives what the reference does, for one sample and for three`, async () => {
    const { vae, feeds } = model(spec, { batch: 3 });
    const graphs = [
      trainingGraph(vae, make(objectives.elbo)).outputs,
      importanceGraph(vae, 3),
      encoderGraph(vae),
    ];
    for (const outputs of graphs) {
      const fed = { ...feeds, ...noiseFor(Object.values(outputs), 3) };
      const expected = compile(Object.values(outputs))(fed);
      const found = await runOnce(outputs, fed);
      Object.keys(outputs).forEach((key, i) => {
        expectClose(found[key]!, expected[i]!, `${name}, ${key}`, 2e-4);
      });
    }
  });

  test(`${name}: draws, densities and gradients are finite in float32 whatever the encoder gives`, async () => {
    const { vae, feeds } = model(spec, { batch: 4 });
    const { z, logQz } = vae.encode(observation(spec)).draw(2);
    const bias = vae.parameters.find((parameter) => parameter.name === 'posterior.bias')!;
    const [slope] = gradients(add(sum(logQz), sum(z)), [bias.tensor]);
    const outputs = { z, logQz, slope: slope! };
    const session = await open(outputs);
    for (const size of [80, -80, 0])
      for (const pattern of [() => 1, (i: number) => (i % 2) - 0.5, (i: number) => Math.sin(i)]) {
        const data = feeds[bias.name]!.data.map((_, i) => size * pattern(i));
        const fed = { ...feeds, ...noiseFor([z], 4), [bias.name]: value(data, bias.shape) };
        for (const [key, found] of Object.entries(await session.run(fed)))
          assert.ok(found.data.every(Number.isFinite), `${key} at ${[...data]}: ${[...found.data]}`);
      }
    await session.release();
  });
}

const closed: readonly (readonly [Named<PosteriorName>, Named<PriorName>, number])[] = [
  ['gaussian', 'learnedNormal', 2],
  ['gaussianFull', 'normal', 1],
  ['gaussianFull', 'normal', 3],
  ['gaussianFull', 'learnedNormal', 3],
  ['householder', 'normal', 3],
  ['vonMisesFisher', 'uniformSphere', 2],
  ['vonMisesFisher', 'uniformSphere', 3],
  ['vonMisesFisher', 'uniformSphere', 7],
];
for (const [q, p, latent] of closed)
  test(`KL of ${nameOf(q)} to ${nameOf(p)} in ${latent} dimensions: the closed form is that of Monte Carlo`, () => {
    const spec = rowsWith(q, p, latent);
    const { vae, feeds } = model(spec, { seed: latent });
    const encoded = vae.encode(observation(spec));
    const { z, logQz } = encoded.draw(COUNT);
    const kl = vae.prior.kl!(encoded)!;
    const [exact, sampled] = evaluate([kl, sub(logQz, vae.prior.logProb(z))], {
      ...feeds,
      ...noiseFor([z], 1),
    });
    closeToMean(
      sampled!.data,
      exact!.data.reduce((a, b) => a + b),
      'KL',
    );
    assert.ok(exact!.data.every((v) => v >= 0));
  });

test('where no rotation may be ignored, a rotated Gaussian has no closed form', () => {
  const spec = rowsWith('householder', 'learnedNormal');
  const { vae } = model(spec);
  assert.equal(vae.prior.kl!(vae.encode(observation(spec))), undefined);
});

/** SciPy 1.17.1: scipy.stats.multivariate_normal(m, L @ L.T).logpdf, and the KL by numpy.linalg. */
test('a full Gaussian has the density and the KL that SciPy gives', () => {
  const [mean, logVar, factor] = [
    input('mean', ['B', 3]),
    input('logVar', ['B', 3]),
    input('factor', ['B', 3, 3]),
  ];
  const q = fullGaussian(mean, logVar, factor);
  const spec = rowsWith('gaussianFull', 'normal', 3);
  const [logP, kl] = evaluate([q.logProb!(input('z', [2, 'B', 3])), model(spec).vae.prior.kl!(q)!], {
    mean: value([0.5, -1, 0.25], [1, 3]),
    logVar: value(
      [1.5, 0.75, 0.5].map((v) => 2 * Math.log(v)),
      [1, 3],
    ),
    factor: value([1.5, 0, 0, -0.5, 0.75, 0, 0.25, 1.25, 0.5], [1, 3, 3]),
    z: value([0, 0, 0, 1, -2, 0.5], [2, 1, 3]),
  });
  close(logP!.data[0]!, -7.69379713, 1e-7, 'first point');
  close(logP!.data[1]!, -7.69379713, 1e-7, 'second point');
  close(
    kl!.data.reduce((a, b) => a + b),
    2.2003641449035625,
    1e-7,
    'KL',
  );
});

test('one point is weighed by every posterior of a batch at once', () => {
  for (const q of ['gaussian', 'gaussianFull', 'householder'] as const) {
    const spec = rowsWith(q, 'normal', 3);
    const { vae, feeds } = model(spec, { batch: 4 });
    const { logProb } = vae.encode(observation(spec));
    const [one, each] = [input('one', [2, 1, 3]), input('each', [2, 'B', 3])];
    const [a, b] = [
      [0.3, -1, 2],
      [1, 0.5, -0.2],
    ] as const;
    const [all, apart] = evaluate([logProb!(one), logProb!(each)], {
      ...feeds,
      one: value([...a, ...b], [2, 1, 3]),
      each: value([a, a, a, a, b, b, b, b].flat(), [2, 4, 3]),
    });
    assert.deepEqual([...all!.shape], [2, 4]);
    all!.data.forEach((v, i) => {
      close(v, apart!.data[i]!, 1e-12, `${q} ${i}`);
    });
  }
});

test('gradients can be let through z alone', () => {
  for (const [name, [q, p]] of Object.entries(cases)) {
    const { space, density } = posterior(q);
    if (!density) continue;
    const latent = latentFor(space);
    const spec = rowsWith(q, p, latent);
    const { vae, feeds } = model(spec);
    const encoded = vae.encode(observation(spec));
    const z = input('z', [1, 'B', latent]);
    const slopes = gradients(sum(encoded.logProb!(z, true)), [z, ...vae.parameters.map((x) => x.tensor)]);
    const at = [0.6, 0, 0.8].slice(0, latent);
    const [dz, ...rest] = evaluate(slopes, { ...feeds, z: value(at, [1, 1, latent]) });
    assert.ok(
      dz!.data.some((v) => v !== 0),
      name,
    );
    for (const { data } of rest)
      assert.ok(
        data.every((v) => v === 0),
        name,
      );
  }
});
