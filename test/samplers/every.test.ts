/**
 * Every sampler with every posterior, group of likelihoods and kind of network, given something or not: what cannot be is
 * refused in a sentence, and a set of models that covers all other pairs is fitted to, drawn from and decoded.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildSampler, parseSampler } from '../../src/config/index.ts';
import { UserError } from '../../src/errors.ts';
import { initialise } from '../../src/nn/index.ts';
import { stream } from '../../src/random/index.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { type LatentRows, type RowForm, type SamplerFamily, samplers } from '../../src/samplers/index.ts';
import { rowForm } from '../../src/tasks/latents.ts';
import { createBuffers, openGraph, type Weights, wanted } from '../../src/train/index.ts';
import { createVae, encoderGraph, lookUpGraph, make, symbolGraph, type Vae } from '../../src/vae/index.ts';
import {
  all,
  BATCH,
  type Choice,
  clashOf,
  covering,
  drawnFrom,
  examplesOf,
  nameOf,
  specOf,
  values,
} from '../vae/every.ts';

const runtime = nodeRuntime({ threads: 1 });
const families = [
  ...values<SamplerFamily>(samplers),
  ['flow, realNVP', make(samplers.flow, { flow: 'realNVP', steps: 1, width: 4, epochs: 1 })] as const,
];
const kindOf = (sampler: number): string => families[sampler]![0].split(',')[0]!;

interface Sampled {
  readonly choice: Choice;
  readonly sampler: number;
}

/** The first prior and objective that go with the rest: a sampler sees nothing of either. */
function completed(rest: Pick<Choice, 'laws' | 'posterior' | 'network' | 'given'>): Choice | undefined {
  for (const prior of all.prior.keys())
    for (const objective of all.objective.keys()) {
      const choice = { ...rest, prior, objective };
      if (all.objective[objective]![1].pictures !== true && clashOf(choice) === undefined) return choice;
    }
  return undefined;
}

/** Every model, but for its prior and objective. */
const models = [...all.posterior.keys()].flatMap((posterior) =>
  [...all.network.keys()].flatMap((network) =>
    [...all.given.keys()].flatMap((given) => completed({ laws: 0, posterior, network, given }) ?? []),
  ),
);

/** Why a sampler cannot be fitted to a model; undefined where it can. */
function refusal(kind: string, { spec }: Vae, form: RowForm): string | undefined {
  const { space } = spec.posterior;
  try {
    buildSampler(parseSampler({ kind }, space), space, form);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    return error.message;
  }
}

const found = models.flatMap((choice) => {
  const vae = createVae(specOf(choice));
  const form = rowForm({ vae });
  return [...families.keys()].map((sampler) => ({
    choice,
    sampler,
    why: refusal(kindOf(sampler), vae, form),
  }));
});

const valid: Sampled[] = found.flatMap(({ why, choice, sampler }) =>
  why === undefined ? [...all.laws.keys()].map((laws) => ({ choice: { ...choice, laws }, sampler })) : [],
);

test('what cannot be fitted is refused in a sentence, and every sampler goes with something', () => {
  for (const why of new Set(found.flatMap(({ why }) => why ?? [])))
    assert.match(why, /^sampler "\w+": \w.{30,}/);
  for (const sampler of families.keys())
    assert.ok(valid.some((one) => one.sampler === sampler), families[sampler]![0]); // biome-ignore format: short
});

test('a model that no sampler is for says so', () => {
  for (const { choice } of found.filter(({ sampler }) => sampler === 0)) {
    const { space } = all.posterior[choice.posterior]![1];
    const some = valid.some((one) => one.choice.posterior === choice.posterior);
    if (some) assert.ok(parseSampler({}, space).kind);
    else assert.throws(() => parseSampler({}, space), /^UserError: no sampler is for [\w é]+, .* its prior$/);
  }
});

/** Weights as they start. */
const beginning = (vae: Vae): Weights =>
  Object.fromEntries(
    vae.parameters.map((p) => {
      const data = new Float32Array(p.shape.reduce((a, b) => a * b, 1));
      initialise(p, data, 1);
      return [p.name, data];
    }),
  );

/** What the encoder makes of a batch of examples. */
async function encoded(vae: Vae, weights: Weights, form: RowForm): Promise<LatentRows> {
  const session = await openGraph(runtime, vae.codes ? symbolGraph(vae) : encoderGraph(vae), { weights });
  const buffers = createBuffers(vae.spec, session.noises, BATCH);
  examplesOf(vae.spec, 1).fill(buffers, 0);
  buffers.draw(BATCH, (name) => stream(1, name));
  const out = await session.run(wanted(session, buffers.values(BATCH)));
  await session.dispose();
  const array = (name: string) => out[name]!.data as Float32Array;
  return {
    rows: array(vae.codes ? 'symbols' : 'z'),
    ...(form.given && { given: buffers.condition }),
    ...(form.gaussian && { mean: array('mean'), logVar: array('logVar') }),
  };
}

/** Fits, draws, and decodes what is drawn. */
async function sampled({ choice, sampler }: Sampled): Promise<Float32Array> {
  const vae = createVae(specOf(choice));
  const [weights, form, family] = [beginning(vae), rowForm({ vae }), families[sampler]![1]];
  const rows = await encoded(vae, weights, form);
  const rounds = family.fit({ form, train: rows, validation: rows, seed: 1, runtime });
  let step = await rounds.next();
  while (!step.done) step = await rounds.next();
  const opened = await family.open(step.value, form, runtime);
  const drawn = await opened.draw(BATCH, stream(2, 'draw'), 1, rows.given);
  await opened.dispose();
  assert.equal(drawn.length, BATCH * form.width);
  const z = { data: await toZ(vae, weights, drawn, form), dims: [BATCH, vae.spec.latent] };
  const condition = { data: rows.given ?? new Float32Array(), dims: [BATCH, form.given ?? 0] };
  return drawnFrom(runtime, vae, weights, { z, condition });
}

async function toZ(vae: Vae, weights: Weights, drawn: Float32Array, form: RowForm): Promise<Float32Array> {
  if (!vae.codes) return drawn;
  assert.ok(drawn.every((v) => v >= 0 && v < form.entries! && Number.isInteger(v)));
  const session = await openGraph(runtime, lookUpGraph(vae), { weights });
  const { z } = await session.run({ symbols: { data: drawn, dims: [BATCH, form.width] } });
  await session.dispose();
  return z!.data as Float32Array;
}

/** Of the sampler with each of the rest: the pairs without a sampler are those of models, which are covered elsewhere. */
const pairsOf = ({ choice, sampler }: Sampled): number[] =>
  (['laws', 'posterior', 'network', 'given'] as const).map(
    (kind, k) => (sampler * 8 + k) * 64 + choice[kind],
  );

const covers = covering(valid, pairsOf);

test(`${covers.length} models with every pair of a sampler and a choice are fitted to, drawn from and decoded`, async () => {
  const failed: string[] = [];
  for (const one of covers)
    try {
      const x = await sampled(one);
      assert.ok(x.every(Number.isFinite), `drawn: ${x.slice(0, 8)}`);
    } catch (error) {
      failed.push(
        `${families[one.sampler]![0]} of ${nameOf(one.choice)}: ${(error as Error).message.slice(0, 300)}`,
      );
    }
  assert.deepEqual(failed, []);
});
