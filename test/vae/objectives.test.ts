import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tensor } from '../../src/graph/index.ts';
import { gradients } from '../../src/graph/index.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import {
  createVae,
  gradientName,
  isInference,
  type ModelSpec,
  make,
  type ObjectiveName,
  posteriors,
  trainingGraph,
} from '../../src/vae/index.ts';
import { checkGradients } from '../check.ts';
import { expectClose, runOnce } from '../graph/ort.ts';
import { compile } from '../reference.ts';
import { rowSpec, run, pictureSpec as toyPictures } from '../train/toy.ts';
import { mixedSpec, pictureSpec } from './models.ts';
import { aim, training } from './training.ts';

interface Case {
  readonly options?: Readonly<Record<string, unknown>>;
  /** Whether values are as told but the gradient stops somewhere on purpose, and is checked elsewhere. */
  readonly stopped?: boolean;
}

const runtime = nodeRuntime({ threads: 1 });

const NARROW = { adversaryHidden: [5, 4] };

/** An objective without a case does not compile. */
const cases: Record<ObjectiveName, readonly Case[]> = {
  elbo: [{ options: { samples: 2, freeBits: 0.05 } }],
  stl: [{ options: { samples: 2 }, stopped: true }],
  capacity: [{}],
  controlVae: [{ stopped: true }],
  iwae: [{ options: { samples: 3 } }],
  miwae: [{ options: { samples: 4, groups: 2 } }],
  piwae: [{ options: { samples: 4, groups: 2 } }],
  ciwae: [{ options: { samples: 3, elboShare: 0.3 } }],
  dreg: [{ options: { samples: 3 } }],
  renyi: [
    { options: { samples: 3 } },
    { options: { samples: 2, alpha: 1 } },
    { options: { samples: 3, alpha: -2 } },
  ],
  vrMax: [{ options: { samples: 3 } }],
  betaTcvae: [{}, { options: { sampling: 'stratified' } }],
  dipVae: [{}, { options: { covariance: 'draws' } }],
  infoVae: [{}, { options: { beta: 0.5, kernel: 'imq' } }],
  waeMmd: [{}],
  slicedWae: [{ options: { slices: 5 } }],
  factorVae: [{ options: NARROW }],
  aae: [{ options: NARROW }],
  vaeGan: [{ options: { adversaryChannels: [3, 4] } }],
  msSsim: [{}],
  autoencoder: [{}],
  denoising: [{}, { options: { corruption: 'masking' } }],
  rae: [{}, { options: { smoothness: 'gradient' } }],
};

/** A model that goes with an objective: pictures or rows, z drawn or a point. */
function specFor(
  objective: { pictures?: boolean; point?: boolean },
  rows: ModelSpec,
  pictures: ModelSpec,
): ModelSpec {
  const spec = objective.pictures ? pictures : rows;
  return objective.point ? { ...spec, posterior: make(posteriors.point) } : spec;
}

const tensorsOf = (all: readonly { readonly tensor: Tensor }[]): Tensor[] => all.map((p) => p.tensor);

for (const [kind, list] of Object.entries(cases) as [ObjectiveName, readonly Case[]][]) {
  for (const { options = {}, stopped = false } of list) {
    const name = `${kind} ${JSON.stringify(options)}`;
    const objective = aim(kind, options);
    const spec = specFor(objective, mixedSpec, pictureSpec);

    test(`${name}: gradients are those of central differences`, () => {
      const { vae, losses, own, feeds } = training(spec, objective);
      const { loss, inference, adversary } = losses;
      const model = vae.parameters.filter((p) => !(stopped || (inference && isInference(p.name))));
      if (!stopped) checkGradients(loss, tensorsOf(model), feeds);
      const encoder = vae.parameters.filter((p) => isInference(p.name));
      if (inference && kind !== 'dreg') checkGradients(inference, tensorsOf(encoder), feeds);
      if (adversary) checkGradients(adversary, tensorsOf(own), feeds);
    });

    test(`${name}: the training graph gives each parameter the gradient of its own loss, and ONNX Runtime agrees`, async () => {
      const { vae, losses, own, feeds } = training(spec, objective);
      const { loss, inference = loss, adversary = loss } = losses;
      const { outputs } = trainingGraph(vae, objective, 10);
      const expected = compile(Object.values(outputs))(feeds);
      const found = await runOnce(outputs, feeds);
      const names = Object.keys(outputs);
      names.forEach((key, i) => {
        expectClose(found[key]!, expected[i]!, `${name}, ${key}`, 2e-4);
      });
      const updated = Object.keys(losses.updates ?? {});
      for (const p of [...vae.parameters, ...own].filter((each) => !updated.includes(each.name))) {
        const minimised = own.includes(p) ? adversary : isInference(p.name) ? inference : loss;
        const [g] = compile(gradients(minimised, [p.tensor]))(feeds);
        expectClose(expected[names.indexOf(gradientName(p.name))]!, g!, p.name, 1e-9);
      }
    });

    test(`${name}: twenty steps of training, each finite, reporting its own terms`, async () => {
      const trained = specFor(objective, rowSpec, toyPictures);
      const vae = createVae(trained);
      const ran = await run({ runtime, vae, objective, epochs: 4, learningRate: 0.003 });
      assert.equal(ran.fitted.reason, 'finished');
      assert.ok(ran.fitted.steps >= 20);
      const { losses } = training(spec, objective);
      const steps = ran.events.filter((e) => e.type === 'step');
      for (const { loss, terms } of steps) {
        assert.ok(Number.isFinite(loss) && Object.values(terms).every(Number.isFinite));
        assert.deepEqual(Object.keys(terms), Object.keys(losses.report ?? {}));
      }
    });
  }
}
