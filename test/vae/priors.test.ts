/** Priors over ℝᶻ, the sphere and the ball: densities, draws, float32, extremes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { add, gradients, input, reshape, sum, type Tensor } from '../../src/graph/index.ts';
import { parameters } from '../../src/nn/index.ts';
import { stream } from '../../src/random/index.ts';
import {
  createVae,
  diagonalGaussian,
  gaussianMixture,
  importanceGraph,
  type ModelSpec,
  make,
  objectives,
  type PosteriorName,
  type PriorName,
  priorGraph,
  trainingGraph,
} from '../../src/vae/index.ts';
import { checkGradients, draw, random } from '../check.ts';
import { expectClose, open, runOnce } from '../graph/ort.ts';
import { compile, evaluate, value } from '../reference.ts';
import { checkDraws, coverOf, latentFor, model, type Named, noiseFor, prior, rowsWith } from './latent.ts';
import { mixedSpec, pictureSpec } from './models.ts';
import { close, mean } from './training.ts';

/** A prior and the posterior it is used with. */
const cases = {
  normal: ['normal', 'gaussian'],
  learnedNormal: ['learnedNormal', 'gaussian'],
  mixture: [['mixture', { components: 3 }], 'gaussian'],
  vampPrior: [['vampPrior', { components: 4 }], 'gaussian'],
  'vampPrior of full Gaussians': [['vampPrior', { components: 4 }], 'gaussianFull'],
  vampData: [['vampData', { components: 4 }], 'householder'],
  realNVP: [['realNVP', { steps: 3, width: 5 }], 'gaussian'],
  maf: [['maf', { steps: 3, width: 5 }], 'gaussian'],
  uniformSphere: ['uniformSphere', 'vonMisesFisher'],
  poincareNormal: ['poincareNormal', 'wrappedNormal'],
} as const satisfies Record<string, readonly [Named<PriorName>, Named<PosteriorName>]>;

const COUNT = 5000;

for (const [name, [p, q]] of Object.entries(cases)) {
  const { space } = prior(p);
  const latent = latentFor(space);
  const spec = rowsWith(q, p, latent);

  test(`${name}: its density adds up to 1 and has the moments of its draws`, () => {
    const { vae, feeds } = model(spec, { spread: 0.5 });
    const cover = coverOf(space);
    const at = input('at', [1, 'B', latent]);
    const count = cover.points.length;
    const [logP] = evaluate([vae.prior.logProb(at)], {
      ...feeds,
      at: value(cover.points.flat(), [1, count, latent]),
    });
    const { z } = priorGraph(vae);
    const [draws] = evaluate([z!], { ...feeds, ...noiseFor([z!], COUNT) });
    checkDraws(logP!.data, cover, draws!.data);
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
      priorGraph(vae),
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

  test(`${name}: densities, draws and gradients are finite in float32 whatever is learned`, async () => {
    const { vae, feeds } = model(spec, { batch: 3 });
    const own = vae.parameters.filter((parameter) => parameter.name.startsWith('prior.'));
    if (own.length === 0) return;
    const z = vae.prior.draw('noise');
    const logP = vae.prior.logProb(reshape(z, [1, 'B', latent]));
    const slopes = gradients(
      add(sum(logP), sum(vae.prior.logProb(input('at', [1, 'B', latent])))),
      own.map(({ tensor }) => tensor),
    );
    const outputs = {
      z,
      logP,
      ...Object.fromEntries(slopes.map((slope, i) => [`slope ${own[i]!.name}`, slope])),
    };
    // all but the weights of networks
    const values = own.filter((parameter) => !parameter.name.endsWith('weight'));
    const session = await open(outputs);
    for (const size of [100, -100, 0])
      for (const pattern of [() => 1, (i: number) => (i % 2) - 0.5, (i: number) => Math.sin(i)]) {
        const moved = values.map(
          ({ name: key, shape }) =>
            [
              key,
              value(
                feeds[key]!.data.map((_, i) => size * pattern(i)),
                shape,
              ),
            ] as const,
        );
        const at = value([0, 0, 3, -2, 0.5, 1], [1, 3, 2]);
        const found = await session.run({ ...feeds, ...noiseFor([z], 3), ...Object.fromEntries(moved), at });
        for (const [key, { data }] of Object.entries(found))
          assert.ok(data.every(Number.isFinite), `${key} at ${size}: ${[...data]}`);
      }
    await session.release();
  });
}

/** SciPy 1.17.1: scipy.special.logsumexp over log softmax weights and scipy.stats.norm.logpdf. */
test('a mixture has the density that SciPy gives', () => {
  const [logits, means, logVars] = [input('logits', [3]), input('means', [3, 2]), input('logVars', [3, 2])];
  const [logP] = evaluate([gaussianMixture(logits, means, logVars).logProb(input('z', [1, 'B', 2]))], {
    logits: value([0, 1, -1], [3]),
    means: value([0, 0, 2, -1, -1.5, 0.5], [3, 2]),
    logVars: value([0, -1, 0.5, 0.25, -2, 1], [3, 2]),
    z: value([0.25, -0.5, 3, 1], [1, 2, 2]),
  });
  close(logP!.data[0]!, -2.6536826623614544, 1e-7, 'first point');
  close(logP!.data[1]!, -4.465288193301617, 1e-7, 'second point');
});

test('narrow components keep their density in float32, however far from the centre', async () => {
  const [logits, means, logVars] = [input('logits', [2]), input('means', [2, 2]), input('logVars', [2, 2])];
  const outputs = { logP: gaussianMixture(logits, means, logVars).logProb(input('z', [1, 'B', 2])) };
  const feeds = {
    logits: value([0, 0], [2]),
    means: value([3, -4, 0, 0], [2, 2]),
    logVars: value([-9, -9, 0, 0], [2, 2]), // a deviation of 0.011
    z: value([3.0078125, -4.0078125], [1, 1, 2]),
  };
  const [exact] = evaluate([outputs.logP], feeds);
  const found = await runOnce(outputs, feeds);
  close(found['logP']!.data[0]!, exact!.data[0]!, 0.02, 'log density');
});

test('a mixture chooses its components by their weights', () => {
  const [logits, means, logVars] = [input('logits', [3]), input('means', [3, 1]), input('logVars', [3, 1])];
  const z = gaussianMixture(logits, means, logVars).draw('noise');
  const [draws] = evaluate([z], {
    ...noiseFor([z], COUNT),
    logits: value(
      [0.2, 0.5, 0.3].map((w) => Math.log(w) + 7),
      [3],
    ),
    means: value([-10, 0, 10], [3, 1]),
    logVars: value([-4, -4, -4], [3, 1]),
  });
  [0.2, 0.5, 0.3].forEach((weight, i) => {
    const share = mean(draws!.data.map((v) => Number(Math.round(v / 10) === i - 1)));
    close(share, weight, 4.5 * Math.sqrt((weight * (1 - weight)) / COUNT), `component ${i}`);
  });
});

test('flow priors start as the standard normal', () => {
  for (const name of ['realNVP', 'maf'] as const) {
    const vae = createVae(rowsWith('gaussian', name, 4));
    const feeds = vae.parameters.map(({ name: key, shape, initialise }) => {
      const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
      initialise(data, stream(1, key));
      return [key, value(data, shape)] as const;
    });
    const at = value([1, -1, 2, 0.5], [1, 1, 4]);
    const [logP] = evaluate([vae.prior.logProb(input('z', [1, 'B', 4]))], {
      ...Object.fromEntries(feeds),
      z: at,
    });
    close(logP!.data[0]!, -0.5 * 6.25 - 2 * Math.log(2 * Math.PI), 1e-6, name);
  }
});

/** The pseudo-inputs of a prior for data of a kind, from parameters between −3 and 3. */
function pseudoInputs(name: 'vampPrior' | 'vampData', { shape, parts }: ModelSpec): Float64Array {
  const { root, all } = parameters();
  let given: Tensor | undefined;
  prior([name, { components: 5 }]).build(2, {
    scope: root.at('prior'),
    shape,
    parts,
    encode: (u) => {
      given = u;
      return diagonalGaussian(input('mean', [5, 2]), input('logVar', [5, 2]));
    },
  });
  const [raw] = all();
  const data = draw({ shape: raw!.shape, range: [-3, 3] }, 1, random(4));
  const [u] = evaluate([given!], { [raw!.name]: data });
  assert.deepEqual([...u!.shape], [5, ...shape]);
  return u!.data;
}

test('pseudo-inputs are data: each field is in its range, and classes add up to 1', () => {
  for (const name of ['vampPrior', 'vampData'] as const)
    for (const spec of [mixedSpec, pictureSpec]) {
      const data = pseudoInputs(name, spec);
      const width = spec.shape.at(-1)!;
      for (const { law, start, size } of spec.parts)
        for (let row = 0; row < data.length; row += width) {
          const field = [...data.subarray(row + start, row + start + size)];
          if (law.support !== 'real') assert.ok(field.every((v) => v >= 0 && v <= 1));
          const total = field.reduce((a, b) => a + b);
          if (law.support === 'class' && name === 'vampPrior') close(total, 1, 1e-9, 'classes');
        }
    }
});
