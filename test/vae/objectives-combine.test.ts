/** What an objective may not be combined with, in words; and what goes with it where nothing is said. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type GivenChoices,
  parseOptions,
  resolve,
  trainOptions,
  usualPosterior,
} from '../../src/config/index.ts';
import { UserError } from '../../src/errors.ts';
import { chain, ladder, mlp } from '../../src/nn/index.ts';
import {
  type Combination,
  clash,
  createVae,
  likelihoods,
  make,
  type ObjectiveName,
  objectives,
  posteriors,
  priors,
  trainingGraph,
} from '../../src/vae/index.ts';
import { aim } from './training.ts';

const base = {
  network: mlp({ hidden: [4], activation: 'relu', norm: false }),
  posterior: make(posteriors.gaussian),
  prior: make(priors.normal),
  shape: [6],
  condition: false,
  warmedUp: false,
};
const with_ = (kind: ObjectiveName, more: Partial<Combination> = {}, options: object = {}) =>
  clash({ ...base, objective: aim(kind, options), ...more });

const point = make(posteriors.point);
const PICTURE = [28, 28, 1];
const names = Object.keys(objectives) as ObjectiveName[];

test('every objective goes with a Gaussian and a standard normal, on data of its kind', () => {
  for (const kind of names) assert.equal(with_(kind, { shape: PICTURE }), undefined, kind);
});

test('objectives that need draws refuse a point, the others take one', () => {
  const refused = names.filter((kind) => with_(kind, { shape: PICTURE, posterior: point }) !== undefined);
  const drawn: ObjectiveName[] = [
    ...([
      'elbo',
      'stl',
      'capacity',
      'controlVae',
      'geco',
      'iwae',
      'miwae',
      'piwae',
      'ciwae',
      'dreg',
    ] as const),
    ...(['renyi', 'vrMax', 'betaTcvae', 'dipVae', 'factorVae'] as const),
  ];
  assert.deepEqual([...refused].sort(), [...drawn].sort());
  assert.match(with_('elbo', { posterior: point })!, /a posterior that is drawn from, and a point is not/);
});

test('each need is told in a sentence', () => {
  const noDensity = { ...base.posterior, density: false };
  const { diagonal, ...full } = base.posterior;
  assert.equal(diagonal, true);
  for (const kind of ['stl', 'dreg'] as const)
    assert.match(with_(kind, { posterior: noDensity })!, /the density of the posterior at any z/);
  for (const kind of ['betaTcvae', 'dipVae'] as const)
    assert.match(with_(kind, { posterior: full })!, /a Gaussian posterior with a diagonal covariance/);
  const levels = { network: ladder({ levels: [1, 1], channels: 4, activation: 'relu', blocks: 0 }) };
  for (const kind of ['stl', 'dreg', 'betaTcvae', 'dipVae'] as const)
    assert.match(with_(kind, levels)!, /for one level of latent variables/);
  assert.equal(with_('iwae', levels), undefined);
  const made = { prior: { ...base.prior, ofPosteriors: true } };
  assert.match(with_('dreg', made)!, /this prior is made by the encoder too/);
  assert.equal(with_('stl', made), undefined);
  for (const kind of ['vaeGan', 'msSsim'] as const)
    assert.match(with_(kind)!, /this objective is for pictures/);
});

test('a ladder bends the Gaussians of its levels where a posterior says how, a chain does not', () => {
  const levels = { network: ladder({ levels: [1, 1], channels: 4, activation: 'relu', blocks: 0 }) };
  const chained = { network: chain({ depth: 2, layers: 1, activation: 'tanh' }) };
  for (const kind of ['planar', 'radial', 'iaf'] as const) {
    const posterior = make(posteriors[kind]);
    assert.equal(with_('elbo', { ...levels, posterior }), undefined);
    assert.match(with_('elbo', { ...chained, posterior })!, /which a ladder can bend/);
    assert.match(with_('stl', { ...levels, posterior })!, /the density of the posterior at any z/);
  }
  for (const network of [levels, chained])
    assert.match(
      with_('elbo', { ...network, posterior: make(posteriors.householder) })!,
      /which a ladder can bend/,
    );
  assert.match(with_('elbo', { ...levels, prior: make(priors.mixture) })!, /leave --prior normal/);
});

test('a label is inferred with objectives made of means, one level and draws', () => {
  const label = { condition: true, label: true, shape: PICTURE };
  const fitting = names.filter((kind) => with_(kind, label) === undefined);
  assert.deepEqual(fitting, ['elbo', 'capacity', 'controlVae', 'denoising']);
  assert.match(with_('iwae', label)!, /by means over its classes, and this objective is not made of such/);
  assert.match(with_('denoising', { ...label, posterior: point })!, /latent variables that are drawn/);
  const network = ladder({ levels: [1, 1], channels: 4, activation: 'relu', blocks: 0 });
  assert.match(with_('elbo', { ...label, network })!, /beside one level of latent variables/);
});

test('a warm-up is refused where the KL has no weight', () => {
  const refused = names.filter((kind) => with_(kind, { shape: PICTURE, warmedUp: true }) !== undefined);
  const free: ObjectiveName[] = ['capacity', 'infoVae', 'waeMmd', 'slicedWae', 'aae', 'autoencoder', 'rae'];
  assert.deepEqual([...refused].sort(), [...free].sort());
  assert.match(with_('waeMmd', { warmedUp: true })!, /no weight that could rise: leave out --warmup/);
  assert.equal(with_('infoVae', { warmedUp: true }, { beta: 0.5 }), undefined);
});

test('z is a point where that is what an objective is made for, and drawn elsewhere', () => {
  const points = names.filter((kind) => usualPosterior({ kind, ...defaults(kind) }).kind === 'point');
  assert.deepEqual([...points].sort(), ['aae', 'autoencoder', 'rae', 'slicedWae', 'waeMmd']);
  for (const kind of points) assert.equal(with_(kind, { posterior: point }), undefined);
});

const facts = { shape: [6], fields: 4, trainRows: 100 };
const plan = (choices: GivenChoices) =>
  resolve({ ...parseOptions(trainOptions, {}), ...choices }, facts).config;
const defaults = (kind: ObjectiveName): object => {
  const { options } = objectives[kind];
  return Object.fromEntries(
    Object.entries(options).map(([name, type]) => [
      name,
      (type as { parse: (v: unknown) => unknown }).parse(undefined),
    ]),
  );
};

test('a plan says what does not go together, by the names that were given', () => {
  assert.equal(plan({ objective: { kind: 'waeMmd' } }).posterior.kind, 'point');
  assert.equal(plan({ objective: { kind: 'factorVae' } }).posterior.kind, 'gaussian');
  const refusals: [GivenChoices, RegExp][] = [
    [{ objective: { kind: 'msSsim' } }, /objective "msSsim": this objective is for pictures/],
    [{ objective: { kind: 'aae' }, warmup: { kind: 'linear' } }, /objective "aae": .*leave out --warmup/],
    [{ objective: { kind: 'stl' }, posterior: { kind: 'point' } }, /posterior "point".*drawn from/],
  ];
  for (const [choices, message] of refusals)
    assert.throws(
      () => plan(choices),
      (e) => e instanceof UserError && message.test(e.message),
    );
});

test('a few doubly reparameterised draws of experts have the prior of what each copy is given', () => {
  const part = make(likelihoods.gaussian);
  const parts = ['a', 'b'].map((field, i) => ({ field, law: part, start: i, size: 1 }));
  const vae = createVae({
    shape: [2],
    parts,
    masked: false,
    condition: 2,
    latent: 2,
    network: base.network,
    posterior: make(posteriors.poe),
    prior: make(priors.conditional, { width: 3 }),
  });
  const { outputs } = trainingGraph(vae, aim('dreg', { samples: 4, backwardSamples: 2 }));
  assert.deepEqual(outputs['loss']!.shape, []);
});

test('the doubly reparameterised gradient refuses draws that share an expert', () => {
  const of = (kind: 'poe' | 'moe' | 'mopoe', modalities: number, objective: ObjectiveName = 'dreg') =>
    with_(objective, { posterior: make(posteriors[kind]), modalities }, { samples: 3 });
  for (const kind of ['moe', 'mopoe'] as const) {
    assert.match(of(kind, 2)!, /all of an example come from one expert/, kind);
    assert.equal(of(kind, 1), undefined, kind);
    assert.equal(of(kind, 2, 'iwae'), undefined, kind);
  }
  assert.equal(of('poe', 2), undefined);
});

test('parts that make no model, or none for an objective, are refused where it is built', () => {
  const { network, posterior, prior } = base;
  const spec = {
    ...{ network, posterior, prior },
    shape: [3],
    parts: [
      { field: 'a', law: make(likelihoods.gaussian), start: 0, size: 2 },
      { field: 'b', law: make(likelihoods.gaussian), start: 2, size: 1 },
    ],
    masked: false,
    latent: 2,
  };
  const refused = (more: Partial<Parameters<typeof createVae>[0]>, message: RegExp) =>
    assert.throws(
      () => createVae({ ...spec, ...more }),
      (e) => e instanceof UserError && message.test(e.message),
    );
  const [a, b] = spec.parts as [(typeof spec.parts)[0], (typeof spec.parts)[0]];
  refused({ prior: make(priors.uniformSphere) }, /gives real vectors and the prior is over unit vectors/);
  refused(
    { posterior: make(posteriors.vonMisesFisher) },
    /gives unit vectors and the prior is over real vectors/,
  );
  refused({ parts: [a] }, /parts cover 2 features: expected the 3 of the last axis of shape/);
  refused({ parts: [] }, /parts cover 0 features/);
  refused(
    { parts: [a, { ...b, start: 1, size: 2 }] },
    /part "b" has 2 features from 1 on: expected .* from 2 on/,
  );
  refused({ shape: [] }, /shape \[\]: expected whole numbers/);
  refused({ latent: 0 }, /latent 0: expected a whole number of dimensions from 1/);
  refused({ latent: 1.5 }, /latent 1.5: expected a whole number/);
  const drawless = createVae({ ...spec, posterior: point });
  assert.throws(
    () => trainingGraph(drawless, aim('iwae')),
    (e) => e instanceof UserError && /a posterior that is drawn from, and a point is not/.test(e.message),
  );
  assert.throws(
    () => make(posteriors.iaf, { stepz: 1 }),
    (e) => e instanceof UserError && /stepz/.test(e.message),
  );
});
