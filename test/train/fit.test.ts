import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../src/errors.ts';
import { schedules, sgd, warmups } from '../../src/optim/index.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { collapse } from '../../src/train/diagnose.ts';
import {
  type BatchSource,
  createLearner,
  type EpochEvent,
  type FitEvent,
  type StepEvent,
} from '../../src/train/index.ts';
import { createVae, make, objectives, posteriors } from '../../src/vae/index.ts';
import { lossesOf, noticesOf, type Ran, rowSpec, run, source, toy } from './toy.ts';

const runtime = nodeRuntime({ threads: 1 });

const of = <T extends FitEvent['type']>({ events }: Ran, type: T) =>
  events.filter((e): e is Extract<FitEvent, { type: T }> => e.type === type);

/** The toy's rows, with NaN in one step's batch. */
function spoiled(step: number): BatchSource {
  const whole = source(rowSpec, 42, 8);
  return {
    ...whole,
    batches: async function* (epoch, skip) {
      for await (const { count, fill } of whole.batches(epoch, skip)) {
        yield {
          count,
          fill: (into, at) => {
            fill(into, at);
            if (at === step) into.x[3] = Number.NaN;
          },
        };
      }
    },
  };
}

test('training tells its start, every step, every epoch and its end, and gets better', async () => {
  const ran = await run({ runtime });
  assert.deepEqual(
    ran.events.map((e) => e.type).filter((type, i, all) => type !== all[i - 1]),
    ['start', 'step', 'epoch', 'step', 'epoch', 'step', 'epoch', 'step', 'epoch', 'checkpoint', 'end'],
  );
  const [start] = of(ran, 'start');
  const parameters = toy({ runtime }).vae.parameters.reduce(
    (n, p) => n + p.shape.reduce((a, b) => a * b, 1),
    0,
  );
  assert.deepEqual(start, { type: 'start', parameters, epochs: 4, stepsPerEpoch: 6, step: 0 });
  const steps = of(ran, 'step');
  assert.deepEqual(
    steps.map((e) => e.step),
    Array.from({ length: 24 }, (_, i) => i + 1),
  );
  for (const { loss, logPx, kl, negativeElbo, gradientNorm } of steps) {
    assert.ok(Math.abs(loss - (kl - logPx)) < 1e-5 * Math.abs(loss));
    assert.equal(negativeElbo, kl - logPx);
    assert.ok(gradientNorm > 0);
  }
  const epochs = of(ran, 'epoch');
  assert.ok(epochs.at(-1)!.validation.negativeElbo < epochs[0]!.validation.negativeElbo - 0.1);
  assert.deepEqual(
    ran.fitted.history,
    epochs.map(({ type, seconds, ...record }) => record),
  );
  assert.equal(of(ran, 'end')[0]!.reason, 'finished');
});

test('epoch means weigh each row once, though the last batch is short', async () => {
  const ran = await run({ runtime, epochs: 2 });
  const counts = [8, 8, 8, 8, 8, 2];
  const steps: readonly StepEvent[] = of(ran, 'step').slice(6);
  const epoch: EpochEvent = of(ran, 'epoch')[1]!;
  const mean = steps.reduce((a, e, i) => a + (e.logPx * counts[i]!) / 42, 0);
  assert.ok(Math.abs(epoch.train.logPx - mean) < 1e-9);
});

test('a value that is not a number stops training, names the term and changes nothing', async () => {
  const ran = await run({ runtime, train: spoiled(9) });
  assert.match(noticesOf(ran)[0]!, /diverged at step 9: log p\(x\|z\) is NaN.*learning rate \(now 0\.01\)/);
  assert.equal(ran.fitted.reason, 'diverged');
  assert.equal(ran.fitted.steps, 8);
  assert.deepEqual(ran.fitted.weights, (await run({ runtime, epochs: 1 })).fitted.weights);
});

test('a step whose loss is not finite leaves every block as it was, whether its gradient is clipped or not', async () => {
  await leavesAll({ clip: 1 });
  await leavesAll({});
});

async function leavesAll(clipping: { readonly clip?: number }): Promise<void> {
  const learner = await createLearner(toy({ runtime, ema: 0.9, ...clipping }));
  const knobs = { beta: 1, progress: 0, learningRate: 0.1 };
  let step = 1;
  const copies = (): Record<string, Float32Array> =>
    Object.fromEntries(Object.entries(learner.state()).map(([name, data]) => [name, data.slice()]));
  for await (const batch of spoiled(4).batches(0, 0)) {
    const before = copies();
    const { loss, gradientNorm } = await learner.step(step, batch, knobs);
    if (step === 4) assert.ok(Number.isNaN(loss) && Number.isNaN(gradientNorm));
    if (step === 4) assert.deepEqual(copies(), before);
    else assert.notDeepEqual(copies(), before, `step ${step}`);
    step++;
  }
  await learner.dispose();
}

test('a rate that explodes is noticed, with the best weights before', async () => {
  const ran = await run({ runtime, optimizer: sgd(), learningRate: 1e12, epochs: 3 });
  assert.equal(ran.fitted.reason, 'diverged');
  assert.match(noticesOf(ran)[0]!, /diverged .*lower learning rate/s);
});

test('validation that is not finite ends training and is never the best', async () => {
  const bad = source(rowSpec, 20, 8, 6);
  const validation: BatchSource = {
    rows: 20,
    batches: async function* (epoch, skip) {
      for await (const { count, fill } of bad.batches(epoch, skip)) {
        const spoil: typeof fill = (into, step) => {
          fill(into, step);
          into.x[3] = Number.NaN;
        };
        yield { count, fill: spoil };
      }
    },
  };
  const ran = await run({ runtime, validation });
  assert.equal(ran.fitted.reason, 'diverged');
  assert.deepEqual(ran.fitted.history, []);
  assert.match(noticesOf(ran)[0]!, /epoch 1: log p\(x\|z\) of the rows it is judged by is NaN/);
});

test('a warm-up that training would not finish is refused before it starts', async () => {
  const refused = run({ runtime, warmup: warmups.linear({ steps: 25 }) });
  await assert.rejects(
    refused,
    (e) => e instanceof UserError && /step 25, but training has 24 steps/.test(e.message),
  );
  assert.equal((await run({ runtime, warmup: warmups.linear({ steps: 24 }) })).fitted.reason, 'finished');
});

test('numbers that no training can have are refused', async () => {
  for (const [options, message] of [
    [{ epochs: 0 }, /epochs: given 0, expected a whole number from 1/],
    [{ epochs: 0.5 }, /epochs: given 0.5/],
    [{ learningRate: Number.NaN }, /learningRate: given NaN, expected a number from 0/],
    [{ clip: -1 }, /clip: given -1/],
    [{ train: { ...source(rowSpec, 20, 8, 6), rows: 0 } }, /rows to train on: given 0/],
  ] as const)
    await assert.rejects(
      run({ runtime, ...options }),
      (e) => e instanceof UserError && message.test(e.message),
    );
});

test('schedules and warm-ups reach the steps', async () => {
  const ran = await run({
    runtime,
    epochs: 2,
    objective: make(objectives.elbo, { beta: 2 }),
    warmup: warmups.linear({ steps: 4 }),
    schedule: schedules.step({ every: 1, factor: 0.1 }),
  });
  const steps = of(ran, 'step');
  assert.deepEqual(
    steps.slice(0, 5).map((e) => e.beta),
    [0.5, 1, 1.5, 2, 2],
  );
  assert.deepEqual(new Set(steps.map((e) => e.learningRate)), new Set([0.01, 0.001]));
  for (const e of steps) assert.ok(Math.abs(e.loss - (e.beta * e.kl - e.logPx)) < 1e-5 * Math.abs(e.loss));
});

test('patience ends training after so many epochs without a better one', async () => {
  const ran = await run({ runtime, learningRate: 0, patience: 2, epochs: 50 });
  assert.equal(ran.fitted.reason, 'early stopping');
  assert.deepEqual(
    ran.fitted.history.map((record) => record.best),
    [true, false, false],
  );
  assert.deepEqual(of(ran, 'end')[0], { ...of(ran, 'end')[0], epochs: 3, bestEpoch: 1 });
});

test('the weights that come back are those of the best epoch', async () => {
  const given = { runtime, learningRate: 0.3, epochs: 8 };
  const ran = await run(given);
  const best = ran.fitted.history.findLast((record) => record.best)!;
  assert.ok(best.epoch < 8, 'this rate is meant to be too high to end at its best');
  assert.deepEqual(ran.fitted.weights, (await run({ ...given, epochs: best.epoch })).fitted.weights);
});

test('a collapsed posterior is noticed, a plain autoencoder is none', async () => {
  const ran = await run({ runtime, objective: make(objectives.elbo, { beta: 1000 }) });
  assert.match(noticesOf(ran)[0]!, /the posterior has collapsed.*--beta \(now 1000\)/);
  const vae = createVae({ ...rowSpec, posterior: make(posteriors.point) });
  const plain = await run({ runtime, vae, objective: make(objectives.autoencoder) });
  assert.deepEqual(noticesOf(plain), []);
});

test('collapse in words', () => {
  assert.equal(collapse([1, 0.5, 0, 0], 1), undefined);
  assert.match(collapse([1, 0, 0, 0], 1)!, /only 1 of 4 latent dimensions are active.*--warmup/);
  assert.match(collapse([0, 0.005], 4)!, /no latent dimension carries information.*--beta \(now 4\)/);
});

test('the average of the weights is what comes back where it is asked for', async () => {
  const [plain, averaged] = [await run({ runtime, epochs: 1 }), await run({ runtime, epochs: 1, ema: 0.9 })];
  assert.deepEqual(lossesOf(plain), lossesOf(averaged));
  assert.notDeepEqual(plain.fitted.weights, averaged.fitted.weights);
  assert.deepEqual(
    averaged.fitted.weights['posterior.bias'],
    averaged.checkpoint!.tensors['average/posterior.bias'],
  );
});

test('steps whose gradient is above the limit change nothing, and many of them are told', async () => {
  const all = await run({ runtime, epochs: 1, skip: 1e-6 });
  const learner = await createLearner(toy({ runtime }));
  assert.deepEqual(all.fitted.weights, learner.weights());
  await learner.dispose();
  assert.ok(of(all, 'step').every((e) => e.skipped));
  assert.match(noticesOf(all)[0]!, /6 of 6 steps were left out.*--skip/);
  const none = await run({ runtime, epochs: 1, skip: 1e6 });
  assert.deepEqual(lossesOf(none), lossesOf(await run({ runtime, epochs: 1 })));
  assert.ok(of(none, 'step').every((e) => !e.skipped));
});
