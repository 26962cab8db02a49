/**
 * Every likelihood, posterior, prior and objective with every other: a set of models that covers all pairs that can be
 * together is built, trained for two steps, saved, read back and drawn from.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Table } from '../../src/choice.ts';
import { readSafetensors, writeSafetensors } from '../../src/model/index.ts';
import { convNetwork, mlp } from '../../src/nn/index.ts';
import { adam } from '../../src/optim/index.ts';
import { stream, variates } from '../../src/random/index.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { createBuffers, createLearner, type Minibatch, openGraph, wanted } from '../../src/train/index.ts';
import {
  clash,
  createVae,
  decoderGraph,
  type Law,
  likelihoods,
  type ModelSpec,
  make,
  type Objective,
  objectives,
  posteriors,
  priorGraph,
  priors,
  type Vae,
  valueNames,
} from '../../src/vae/index.ts';

const runtime = nodeRuntime({ threads: 1 });
const BATCH = 6;
/** Width of what is given to priors that depend on it. */
const GIVEN = 2;

/** Small values of options whose usual ones are made for real models. */
const SMALL: Readonly<Record<string, unknown>> = {
  samples: 3,
  components: 3,
  pseudoInputs: 3,
  steps: 1,
  width: 4,
  hidden: [4],
  codes: 4,
  dim: 2,
  classes: 2,
  levels: 4,
};

type Options = Readonly<Record<string, unknown>>;

/** Those of the small values that an entry has an option for and takes. */
function smallOptions(entry: Table<unknown>[string]): Options {
  let options: Options = {};
  for (const [name, value] of Object.entries(SMALL)) {
    if (!(name in entry.options)) continue;
    const more = { ...options, [name]: value };
    try {
      make(entry, more);
      options = more;
    } catch {
      // this entry means something else by the name
    }
  }
  return options;
}

/** Every entry of a table as its value. */
const values = <V>(table: Table<V>): readonly (readonly [string, V])[] =>
  Object.entries(table).map(([name, entry]) => [name, make(entry, smallOptions(entry)) as V]);

const all = {
  likelihood: values<Law>(likelihoods as never),
  posterior: values<ModelSpec['posterior']>(posteriors as never),
  prior: values<ModelSpec['prior']>(priors as never),
  objective: values<Objective>(objectives as never),
};
type Kind = keyof typeof all;
const kinds = Object.keys(all) as Kind[];
/** Index of the entry of each kind. */
type Choice = Readonly<Record<Kind, number>>;

const nameOf = (choice: Choice): string => kinds.map((kind) => all[kind][choice[kind]]![0]).join(', ');

const isPictures = (choice: Choice): boolean => all.objective[choice.objective]![1].pictures === true;

const isClass = (choice: Choice): boolean =>
  ['class', 'order'].includes(all.likelihood[choice.likelihood]![1].support);

/** Rows of four features, in two parts where each has an encoder; or small pictures for objectives that need them. */
function specOf(choice: Choice): ModelSpec {
  const law = all.likelihood[choice.likelihood]![1];
  const prior = all.prior[choice.prior]![1];
  const pictures = isPictures(choice);
  const shape = pictures ? [8, 8, 1] : [4];
  const posterior = all.posterior[choice.posterior]![1];
  const starts = posterior.experts && !pictures ? [0, 2] : [0];
  const size = shape.at(-1)! / starts.length;
  return {
    shape,
    parts: starts.map((start) => ({ field: `x${start}`, law, start, size })),
    masked: false,
    ...(prior.given && { condition: GIVEN }),
    latent: 6,
    network: pictures
      ? convNetwork({ channels: [4], hidden: 4, activation: 'relu', norm: false, blocks: 0 })
      : mlp({ hidden: [6], activation: 'tanh', norm: false }),
    posterior,
    prior,
  };
}

const clashOf = (choice: Choice): string | undefined => {
  const { network, posterior, prior, shape, condition, parts } = specOf(choice);
  const objective = all.objective[choice.objective]![1];
  return clash({
    network,
    posterior,
    prior,
    objective,
    shape,
    condition: condition !== undefined,
    modalities: parts.length,
    warmedUp: false,
  });
};

/** Every model of one likelihood, and whether it can be. */
const models = [...all.posterior.keys()].flatMap((posterior) =>
  [...all.prior.keys()].flatMap((prior) =>
    [...all.objective.keys()].map((objective) => {
      const choice: Choice = { likelihood: 0, posterior, prior, objective };
      return { choice, why: clashOf(choice) };
    }),
  ),
);

/** Every choice that can be: any likelihood goes with any model, but for classes, which pixels are none of. */
const valid = models.flatMap(({ choice, why }) =>
  why === undefined
    ? [...all.likelihood.keys()]
        .map((likelihood) => ({ ...choice, likelihood }))
        .filter((one) => !(isPictures(one) && isClass(one)))
    : [],
);

const pairsOf = (choice: Choice): string[] =>
  kinds.flatMap((a, i) => kinds.slice(i + 1).map((b) => `${a} ${choice[a]} ${b} ${choice[b]}`));

/** Choices that between them have every pair that a valid choice has, each taken because it has most that are missing. */
function covering(valid: readonly Choice[]): Choice[] {
  const missing = new Set(valid.flatMap(pairsOf));
  const taken: Choice[] = [];
  const gain = (choice: Choice) => pairsOf(choice).filter((pair) => missing.has(pair)).length;
  for (let most = (kinds.length * (kinds.length - 1)) / 2; most > 0; most--)
    for (const choice of valid) {
      if (gain(choice) < most) continue;
      taken.push(choice);
      for (const pair of pairsOf(choice)) missing.delete(pair);
    }
  return taken;
}

/** Features in the set that a law is over. */
function dataFor({ support }: Law, shape: readonly number[], seed: number): Float32Array {
  const width = shape.reduce((a, b) => a * b, 1);
  const { uniform, normal, poisson } = variates(stream(seed, 'any to any'));
  const one: Record<Law['support'], () => number> = {
    binary: () => Number(uniform() < 0.5),
    unit: () => Math.round(uniform() * 253 + 1) / 255,
    real: normal,
    positive: () => Math.exp(normal()),
    count: () => Math.min(3, poisson(1)),
    class: () => 0,
    order: () => 0,
    angle: () => Math.PI * (2 * uniform() - 1),
  };
  const x = Float32Array.from({ length: BATCH * width }, one[support]);
  if (support === 'class' || support === 'order')
    for (let i = 0; i < BATCH; i++) x[i * width + Math.floor(uniform() * width)] = 1;
  return x;
}

const minibatch = (x: Float32Array): Minibatch => ({ count: BATCH, fill: (into) => into.x.set(x) });

/** Two steps; the weights after them, through a file. */
async function trained(vae: Vae, objective: Objective, x: Float32Array) {
  const learner = await createLearner({
    vae,
    objective,
    optimizer: adam(),
    runtime,
    batchSize: BATCH,
    seed: 1,
    rows: 60,
  });
  for (const step of [1, 2]) {
    const knobs = { beta: objective.beta, progress: step / 2, learningRate: 1e-3 };
    const { loss, logPx, kl, terms, gradientNorm } = await learner.step(step, minibatch(x), knobs);
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

/** A draw from the prior and from p(x|z). */
async function drawn(vae: Vae, weights: Readonly<Record<string, Float32Array>>): Promise<Float32Array> {
  const prior = await openGraph(runtime, priorGraph(vae), { weights });
  const buffers = createBuffers(vae.spec, prior.noises, BATCH);
  buffers.draw(BATCH, (name) => stream(2, name));
  const { z } = await prior.run(wanted(prior, buffers.values(BATCH)));
  await prior.dispose();
  const decoder = await openGraph(runtime, decoderGraph(vae), { weights });
  const found = await decoder.run(wanted(decoder, { ...buffers.values(BATCH), z: z! }));
  await decoder.dispose();
  const { law, field, size } = vae.spec.parts[0]!;
  const out = new Float32Array(vae.spec.shape.slice(0, -1).reduce((a, b) => a * b, size));
  const own = valueNames(vae)[0]!.map((name) => {
    const data = found[`${field}.${name}`]!.data as Float32Array;
    const perRow = data.length % BATCH === 0 && found[`${field}.${name}`]!.dims[0] === BATCH;
    return [name, perRow ? data.subarray(0, data.length / BATCH) : data] as const;
  });
  law.draw(Object.fromEntries(own), variates(stream(3, 'draw')), out, size);
  return out;
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

const covers = covering(valid);

test(`${covers.length} models with every pair of choices are trained, saved, read and drawn from`, async () => {
  const failed: string[] = [];
  for (const choice of covers) {
    try {
      const spec = specOf(choice);
      const vae = createVae(spec);
      const { law } = spec.parts[0]!;
      const weights = await trained(vae, all.objective[choice.objective]![1], dataFor(law, spec.shape, 1));
      const x = await drawn(vae, weights);
      assert.ok(x.every(Number.isFinite), `drawn: ${x.slice(0, 8)}`);
    } catch (error) {
      failed.push(`${nameOf(choice)}: ${(error as Error).message.slice(0, 300)}`);
    }
  }
  assert.deepEqual(failed, []);
});
