import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  build,
  type DataFacts,
  type GivenChoices,
  type GivenOptions,
  parseOptions,
  resolve,
  type TrainConfig,
  trainOptions,
} from '../../src/config/index.ts';
import { UserError } from '../../src/errors.ts';
import { createVae, likelihoods, make } from '../../src/vae/index.ts';

const plan = (
  facts: DataFacts,
  options: GivenOptions = {},
  choices: GivenChoices = {},
  saved?: TrainConfig,
) => resolve({ ...parseOptions(trainOptions, options), ...choices }, facts, saved);

const table: DataFacts = { shape: [108], fields: 15, trainRows: 26_000 };
const picture = (height: number, width: number, channels: number, trainRows = 48_000): DataFacts => ({
  shape: [height, width, channels],
  fields: 1,
  trainRows,
});

test('a table gets a dense network as wide as its features ask', () => {
  const { config } = plan(table);
  assert.equal(config.network.kind, 'mlp');
  assert.deepEqual(config.network.kind === 'mlp' && config.network.hidden, [256, 256]);
  assert.equal(config.latent, 15);
  assert.equal(config.batchSize, 256);
  assert.deepEqual([config.learningRate, config.seed, config.objective.kind], [0.001, 0, 'elbo']);
});

test('a tiny table gets a small batch, at least two latent dimensions and enough steps', () => {
  const { config } = plan({ shape: [1], fields: 1, trainRows: 100 });
  assert.deepEqual([config.batchSize, config.latent, config.epochs], [16, 2, 300]);
  assert.equal(plan({ shape: [900], fields: 300, trainRows: 1e7 }).config.epochs, 5);
});

test('codes and classes get as many dimensions as they fill', () => {
  const latent = (kind: string, options: object = {}) =>
    plan(picture(28, 28, 1), {}, { posterior: { kind, ...options } } as GivenChoices).config.latent;
  assert.equal(latent('gaussian'), 32);
  assert.deepEqual([latent('vq'), latent('vq', { dim: 5 }), latent('fsq')], [16 * 4, 16 * 5, 16 * 3]);
  assert.deepEqual([latent('gumbelSoftmax'), latent('mixed', { groups: 2, classes: 4 })], [160, 32 + 8]);
});

/** Pictures of any size from 8 end at 4 to 7 on their shorter side. */
const sizes: [DataFacts, number[]][] = [
  [picture(8, 8, 1), [32]],
  [picture(28, 28, 1), [32, 64]],
  [picture(64, 64, 3), [32, 64, 128, 256]],
  [picture(128, 128, 4), [32, 64, 128, 256, 256]],
  [picture(9, 128, 3), [32]],
];
for (const [facts, channels] of sizes) {
  test(`a picture of [${facts.shape}] gets convolutions that fit it`, () => {
    const { config } = plan(facts);
    assert.equal(config.network.kind, 'conv');
    assert.deepEqual(config.network.kind === 'conv' && config.network.channels, channels);
    assert.equal(config.network.kind === 'conv' && config.network.norm, channels.length > 2);
    assert.deepEqual([config.schedule.kind, config.epochs], ['cosine', 10]);
    const smallest = Math.min(facts.shape[0]!, facts.shape[1]!) / 2 ** channels.length;
    assert.ok(smallest >= 4 && smallest < 8, `${smallest} pixels are left`);
    assert.equal(config.batchSize, 128);
    const vae = createVae({
      shape: facts.shape,
      parts: [{ field: 'p', law: make(likelihoods.gaussianShared), start: 0, size: facts.shape[2]! }],
      masked: false,
      latent: config.latent,
      network: build('network', config.network),
      posterior: build('posterior', config.posterior),
      prior: build('prior', config.prior),
    });
    assert.ok(vae.parameters.length > 0);
  });
}

test('pictures too small to halve get a dense network', () => {
  assert.equal(plan(picture(7, 20, 1)).config.network.kind, 'mlp');
});

test('what is given is kept, and what is left out of a choice is still chosen', () => {
  const { config, lines } = plan(
    table,
    { latent: 3, epochs: 7, batchSize: 50, learningRate: 0.1, seed: 9, patience: 2, ema: 0.99, clip: 5 },
    { network: { activation: 'silu' }, objective: { beta: 4 } },
  );
  assert.deepEqual(config.network, {
    kind: 'mlp',
    hidden: [256, 256],
    activation: 'silu',
    norm: false,
    dropout: 0,
  });
  assert.deepEqual(config.objective, { kind: 'elbo', beta: 4, freeBits: 0, samples: 1 });
  const { latent, epochs, batchSize, learningRate, seed, patience, ema, clip } = config;
  assert.deepEqual(
    [latent, epochs, batchSize, learningRate, seed, patience, ema, clip],
    [3, 7, 50, 0.1, 9, 2, 0.99, 5],
  );
  assert.ok(lines.some((line) => line === 'latent: 3 dimensions  (as asked)'));
  assert.ok(lines.some((line) => line.startsWith('batches: 50 examples')));
});

test('another kind than the suggested one has its own defaults', () => {
  const { config } = plan(picture(28, 28, 1), {}, { network: { kind: 'mlp' } });
  assert.deepEqual(config.network, {
    kind: 'mlp',
    hidden: [256, 256],
    activation: 'relu',
    norm: false,
    dropout: 0,
  });
});

test('an option that the chosen kind does not have is refused', () => {
  const wrong = { network: { channels: [3] } } as GivenChoices;
  assert.throws(
    () => plan(table, {}, wrong),
    (e) => e instanceof UserError && /no option channels/.test(e.message),
  );
});

test('a resumed run keeps its config; only its length may change', () => {
  const saved = plan(table, { epochs: 10, latent: 4 }, { objective: { beta: 2 } }).config;
  assert.deepEqual(plan(table, {}, {}, saved).config, saved);
  assert.deepEqual(plan(table, { epochs: 20, patience: 9 }, {}, saved).config, {
    ...saved,
    epochs: 20,
    patience: 9,
  });
  assert.deepEqual(plan(table, { latent: 4 }, { objective: { beta: 2 } }, saved).config, saved);
  const refusals: [GivenOptions, GivenChoices, RegExp][] = [
    [{ latent: 5 }, {}, /latent: given 5, but the run to be resumed has 4.*--overwrite/],
    [{ seed: 1 }, {}, /seed: given 1/],
    [{ splitSeed: 1 }, {}, /splitSeed: given 1/],
    [{ validation: 0.3 }, {}, /validation: given 0.3/],
    [{ clip: 1 }, {}, /clip: given 1/],
    [{}, { likelihood: { kind: 'bernoulli' } }, /likelihood: given .*bernoulli/],
    [{}, { objective: { beta: 3 } }, /objective: given .*"beta":3/],
    [{}, { network: { kind: 'conv' } }, /network: given /],
  ];
  for (const [options, choices, message] of refusals)
    assert.throws(
      () => plan(table, options, choices, saved),
      (e) => e instanceof UserError && message.test(e.message),
    );
});
