import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../src/errors.ts';
import { adamW, schedules, sgd, warmups } from '../../src/optim/index.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { createVae, make, objectives, posteriors } from '../../src/vae/index.ts';
import { type Given, lossesOf, pictureSpec, type Ran, rowSpec, run } from './toy.ts';

const runtime = nodeRuntime({ threads: 1 });

/** Everything at once that has a state or depends on where training is. */
const full: Given = {
  runtime,
  epochs: 5,
  optimizer: adamW({ weightDecay: 0.1 }),
  objective: make(objectives.elbo, { freeBits: 0.05, samples: 2, beta: 0.5 }),
  schedule: schedules.plateau({ patience: 1, factor: 0.5, warmup: 3 }),
  warmup: warmups.cyclical({ over: { fraction: 0.8 }, cycles: 2 }),
  ema: 0.9,
  clip: 1,
  patience: 4,
};

const bits = (x: Float32Array): Uint32Array => new Uint32Array(x.slice().buffer);
const bitsOf = (tensors: Readonly<Record<string, Float32Array>>) =>
  Object.fromEntries(Object.entries(tensors).map(([name, data]) => [name, bits(data)]));

function expectSame(found: Ran, expected: Ran): void {
  assert.deepEqual(found.fitted.history, expected.fitted.history);
  assert.equal(found.fitted.reason, expected.fitted.reason);
  assert.equal(found.fitted.steps, expected.fitted.steps);
  assert.deepEqual(bitsOf(found.fitted.weights), bitsOf(expected.fitted.weights));
  assert.deepEqual(found.checkpoint!.progress, expected.checkpoint!.progress);
  assert.deepEqual(bitsOf(found.checkpoint!.tensors), bitsOf(expected.checkpoint!.tensors));
}

/** Stops and goes on at each of these steps. */
async function interrupted(given: Given, stops: readonly number[]): Promise<Ran> {
  let resume = given.resume;
  for (const stop of stops) {
    const { fitted, checkpoint } = await run({ ...given, resume }, stop);
    assert.equal(fitted.reason, 'stopped');
    assert.equal(checkpoint!.progress.step, stop);
    resume = checkpoint;
  }
  return run({ ...given, resume });
}

test('the same seed gives the same losses and weights, another seed others', async () => {
  const [a, b, c] = [await run(full), await run(full), await run({ ...full, seed: 2 })];
  assert.deepEqual(lossesOf(a), lossesOf(b));
  expectSame(a, b);
  assert.notDeepEqual(lossesOf(a), lossesOf(c));
});

test('stopped anywhere and resumed, training ends bit for bit where it would have', async () => {
  const whole = await run(full);
  assert.ok(Object.keys(whole.checkpoint!.tensors).some((name) => name.startsWith('average/')));
  assert.ok(Object.keys(whole.checkpoint!.tensors).some((name) => name.startsWith('slot 1/')));
  // 6 steps an epoch: first, within, before the last, the last of an epoch, the first of one, late
  for (const stop of [1, 4, 5, 6, 7, 20]) expectSame(await interrupted(full, [stop]), whole);
  expectSame(await interrupted(full, [2, 3, 11, 18, 24]), whole);
});

test('losses after a resume are those that would have come', async () => {
  const whole = await run(full);
  const { checkpoint } = await run(full, 8);
  const rest = await run({ ...full, resume: checkpoint });
  assert.deepEqual(lossesOf(rest), lossesOf(whole).slice(8));
  assert.deepEqual(rest.events[0], { ...whole.events[0], step: 8 });
});

test('a finished training that is resumed takes no step; with more epochs it goes on', async () => {
  const short = { runtime, epochs: 2 };
  const done = await run(short);
  const again = await run({ ...short, resume: done.checkpoint });
  assert.deepEqual(lossesOf(again), []);
  assert.deepEqual(bitsOf(again.fitted.weights), bitsOf(done.fitted.weights));
  const longer = await run({ ...short, epochs: 4, resume: done.checkpoint });
  expectSame(longer, await run({ ...short, epochs: 4 }));
});

test('pictures, momentum and a cosine: the same bits after a stop', async () => {
  const given: Given = {
    runtime,
    vae: createVae(pictureSpec),
    optimizer: sgd({ momentum: 0.9, nesterov: true }),
    schedule: schedules.cosine({ warmup: 4 }),
    epochs: 2,
  };
  expectSame(await interrupted(given, [3, 9]), await run(given));
});

/** Networks and numbers of the objective's own, each moved in its way. */
const withState: Record<string, Given> = {
  'a discriminator beside a point': {
    runtime,
    vae: createVae({ ...rowSpec, posterior: make(posteriors.point) }),
    objective: make(objectives.aae, { adversaryHidden: [8], adversaryRate: 2, adversaryBeta1: 0.3 }),
    optimizer: sgd({ momentum: 0.9 }),
  },
  'a discriminator of permuted codes': {
    runtime,
    objective: make(objectives.factorVae, { adversaryHidden: [8] }),
    optimizer: adamW({ weightDecay: 0.1 }),
    clip: 1,
    ema: 0.9,
  },
  'a controlled weight of the KL': {
    runtime,
    objective: make(objectives.controlVae, { targetKl: 0.5, integralGain: 0.1 }),
    ema: 0.9,
  },
};
for (const [what, given] of Object.entries(withState))
  test(`${what}: the same bits after a stop, from a checkpoint that has all of it`, async () => {
    const whole = await run({ epochs: 2, ...given });
    expectSame(await interrupted({ epochs: 2, ...given }, [4, 7]), whole);
    const names = Object.keys(whole.checkpoint!.tensors).filter((name) => name.includes('/objective.'));
    assert.ok(names.some((name) => name.startsWith('parameters/')));
    assert.ok(
      names.every((name) => !name.startsWith('best/')),
      'the weights of the model are those of the model',
    );
  });

test('a checkpoint that lacks a tensor, or has it in another length, is refused by name', async () => {
  const { checkpoint } = await run({ runtime, epochs: 1 });
  const { tensors } = checkpoint!;
  const [first = '', best = ''] = ['parameters/', 'best/'].map((kind) =>
    Object.keys(tensors).find((name) => name.startsWith(kind)),
  );
  const without = (kind: string) =>
    Object.fromEntries(Object.entries(tensors).filter(([name]) => !name.startsWith(kind)));
  const cases: [Record<string, Float32Array>, RegExp][] = [
    [
      { ...tensors, [first]: new Float32Array(1) },
      /it has 1 values for "parameters\/.*", expected \d+ values/,
    ],
    [{ ...tensors, [first]: new Float32Array(9999) }, /it has 9999 values/],
    [{ ...tensors, [best]: new Float32Array(1) }, /it has 1 values for "best\//],
    [without('best/'), /it has nothing for "best\//],
    [without('slot 1/'), /it has nothing for "slot 1\//],
    [{ ...tensors, more: new Float32Array(2) }, /it has 2 values for "more", expected nothing/],
  ];
  for (const [damaged, message] of cases)
    await assert.rejects(
      run({ runtime, epochs: 2, resume: { ...checkpoint!, tensors: damaged } }),
      (error: Error) => error instanceof UserError && message.test(error.message),
      String(message),
    );
});
