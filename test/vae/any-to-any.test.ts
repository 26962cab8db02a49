/**
 * Every likelihood, posterior, prior, objective and kind of network with every other, given something or not: a set of models
 * that covers all pairs that can be together is built, trained for two steps, saved and read back; and drawn from, as far as
 * the objective does not matter. Likelihoods come some at a time, a field for each.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSafetensors, writeSafetensors } from '../../src/model/index.ts';
import { adam } from '../../src/optim/index.ts';
import { stream } from '../../src/random/index.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { createBuffers, createLearner, openGraph, wanted } from '../../src/train/index.ts';
import { createVae, type Objective, priorGraph, type Vae } from '../../src/vae/index.ts';
import {
  all,
  BATCH,
  type Choice,
  clashOf,
  covering,
  drawnFrom,
  examplesOf,
  isEmpty,
  type Kind,
  nameOf,
  pairsOf,
  specOf,
} from './every.ts';

const runtime = nodeRuntime({ threads: 1 });
const kinds = Object.keys(all) as Kind[];

const range = (kind: Kind): number[] => [...all[kind].keys()];

/** Every model of one group of likelihoods, and whether it can be. */
const models = range('posterior').flatMap((posterior) =>
  range('prior').flatMap((prior) =>
    range('objective').flatMap((objective) =>
      range('network').flatMap((network) =>
        range('given').map((given) => {
          const choice: Choice = { laws: 0, posterior, prior, objective, network, given };
          return { choice, why: clashOf(choice) };
        }),
      ),
    ),
  ),
);

/** Every choice that can be: any likelihood goes with any model, but for classes, which pixels are none of. */
const valid = models.flatMap(({ choice, why }) =>
  why === undefined
    ? range('laws')
        .map((laws) => ({ ...choice, laws }))
        .filter((one) => !isEmpty(one))
    : [],
);

/** Two steps; the weights after them, through a file. */
async function trained(vae: Vae, objective: Objective) {
  const options = { vae, objective, optimizer: adam(), runtime, batchSize: BATCH, seed: 1, rows: 60 };
  const learner = await createLearner(options);
  for (const step of [1, 2]) {
    const knobs = { beta: objective.beta, progress: step / 2, learningRate: 1e-3 };
    const { loss, logPx, kl, terms, gradientNorm } = await learner.step(step, examplesOf(vae.spec, 1), knobs);
    for (const [name, value] of Object.entries({ loss, logPx, kl, ...terms, gradientNorm }))
      assert.ok(Number.isFinite(value), `step ${step}: ${name} is ${value}`);
  }
  const tensors = vae.parameters.map((p) => [p.name, { shape: p.shape, data: learner.weights()[p.name]! }]);
  const file = writeSafetensors(Object.fromEntries(tensors));
  await learner.dispose();
  return Object.fromEntries(
    Object.entries(readSafetensors(file).tensors).map(([name, { data }]) => [name, data]),
  );
}

/** A draw from the prior and from p(x|z): every feature of every field of one example. */
async function drawn(vae: Vae, weights: Readonly<Record<string, Float32Array>>): Promise<Float32Array> {
  const prior = await openGraph(runtime, priorGraph(vae), { weights });
  const buffers = createBuffers(vae.spec, prior.noises, BATCH);
  examplesOf(vae.spec, 2).fill(buffers, 0);
  buffers.draw(BATCH, (name) => stream(2, name));
  const { z } = await prior.run(wanted(prior, buffers.values(BATCH)));
  await prior.dispose();
  return drawnFrom(runtime, vae, weights, { ...buffers.values(BATCH), z: z! });
}

test('what cannot be together is refused with a sentence', () => {
  assert.ok(valid.length > 0 && models.some(({ why }) => why));
  for (const why of new Set(models.map((model) => model.why)))
    if (why !== undefined) assert.match(why, /^[a-z].{30,}/, why);
});

test('every entry of every table is in a valid choice', () => {
  for (const kind of kinds)
    for (const [i, [name]] of all[kind].entries())
      assert.ok(
        valid.some((choice) => choice[kind] === i),
        `${kind} ${name} goes with nothing`,
      );
});

const covers = covering(valid, pairsOf);

test(`${covers.length} models with every pair of choices are trained, saved and read; with every pair but for objectives drawn from`, async () => {
  const failed: string[] = [];
  const undrawn = new Set(covers.flatMap(({ objective: _, ...rest }) => pairsOf(rest)));
  for (const choice of covers) {
    try {
      const vae = createVae(specOf(choice));
      const weights = await trained(vae, all.objective[choice.objective]![1]);
      const { objective: _, ...rest } = choice;
      if (!pairsOf(rest).some((pair) => undrawn.delete(pair))) continue;
      for (const pair of pairsOf(rest)) undrawn.delete(pair);
      const x = await drawn(vae, weights);
      assert.ok(x.every(Number.isFinite), `drawn: ${x.slice(0, 8)}`);
    } catch (error) {
      failed.push(`${nameOf(choice, kinds)}: ${(error as Error).message.slice(0, 300)}`);
    }
  }
  assert.deepEqual(failed, []);
});
