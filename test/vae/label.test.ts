/** A label that some rows lack: its terms are those of the model given each class, weighed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Table } from '../../src/choice.ts';
import type { Tensor } from '../../src/graph/index.ts';
import { mlp } from '../../src/nn/index.ts';
import {
  createVae,
  encoderGraph,
  evaluationGraph,
  importanceGraph,
  knownLabel,
  logWeights,
  type ModelSpec,
  make,
  observation,
  type PosteriorFamily,
  posteriors,
  priors,
  terms,
  trainingGraph,
  type Vae,
} from '../../src/vae/index.ts';
import { checkGradients } from '../check.ts';
import { evaluate, type Feeds, value } from '../reference.ts';
import { law, mixedSpec, pictureSpec, small } from './models.ts';
import { aim, close, noiseFeeds, training } from './training.ts';

const COUNTS = [6, 1, 3];
const LABEL = { start: 1, size: 3, counts: COUNTS, known: 0.4, weight: 0.3 };
const [BATCH, SAMPLES] = [4, 2];
/** One more condition before the label. */
const rows: ModelSpec = { ...mixedSpec, condition: 5, label: LABEL };
const specs: Record<string, ModelSpec> = {
  rows,
  picture: { ...pictureSpec, condition: 4, label: { ...LABEL, start: 0 } },
  'a prior given the label': { ...rows, prior: make(priors.conditional, { width: 3 }) },
};
const OPTIONS = { samples: SAMPLES, progress: 1 };

/** The same model, which takes each row's label as it is. */
const plain = ({ label: _, ...spec }: ModelSpec): Vae => createVae(spec);

/** What the model sees where class y is known everywhere, with the noise that class y of all of them has. */
function withClass(feeds: Feeds, { start, size }: typeof LABEL, y: number): Feeds {
  const { data, shape } = feeds['condition']!;
  const [width, latent] = [shape[1]!, feeds['noise']!.shape[1]!];
  const changed = Array.from(data, (v, i) => {
    const j = (i % width) - start;
    return j < 0 || j > size ? v : Number(j === y || j === size);
  });
  const noise = Array.from({ length: SAMPLES }, (_, k) => {
    const from = (k * size + y) * BATCH * latent;
    return [...feeds['noise']!.data.subarray(from, from + BATCH * latent)];
  });
  return {
    ...feeds,
    condition: value(changed, shape),
    noise: value(noise.flat(), [SAMPLES * BATCH, latent]),
  };
}

const logPrior = COUNTS.map((n) => Math.fround(Math.log((n + 1) / 13)));

for (const [name, spec] of Object.entries(specs)) {
  const label = spec.label as typeof LABEL;
  const { vae, feeds: some } = small(spec, { batch: BATCH });
  const seen = observation(spec);
  const own = terms(vae, seen, OPTIONS);
  const feeds = { ...some, ...noiseFeeds({ z: own.z }, BATCH, 1) };
  const q = vae.label!.logPosterior(seen);
  const [classes, known, logQ] = evaluate(
    [knownLabel(label, seen).classes, knownLabel(label, seen).known, q],
    feeds,
  ).map(({ data }) => data) as [Float64Array, Float64Array, Float64Array];
  /** How much each class weighs in row i: that which is known, else q(y|x). */
  const weightsOf = (i: number) =>
    COUNTS.map((_, y) => (known[i] ? classes[3 * i + y]! : Math.exp(logQ[3 * i + y]!)));
  const model = plain(spec);
  const given = terms(model, observation(model.spec), OPTIONS);
  const ofEach = (tensors: readonly Tensor[]) =>
    COUNTS.map((_, y) => evaluate(tensors, withClass(feeds, label, y)).map(({ data }) => data));

  test(`${name}: every term is that of each class, weighed`, () => {
    const wanted = (t: typeof own) => [
      t.logPx,
      t.levels[0]!.logPz,
      t.levels[0]!.logQz,
      ...Object.values(t.fields),
    ];
    const each = ofEach(wanted(given));
    evaluate(wanted(own), feeds).forEach(({ data, shape }, t) => {
      assert.deepEqual([...shape], [SAMPLES, BATCH]);
      data.forEach((v, at) => {
        close(
          v,
          weightsOf(at % BATCH).reduce((sum, w, y) => sum + w * each[y]![t]![at]!, 0),
          1e-9,
          'term',
        );
      });
    });
    const kl = evaluate([own.levels[0]!.kl], feeds)[0]!.data;
    const klOfEach = ofEach([given.levels[0]!.kl]);
    const width = kl.length / BATCH;
    kl.forEach((v, at) => {
      const weights = weightsOf(Math.floor(at / width));
      close(
        v,
        weights.reduce((sum, w, y) => sum + w * klOfEach[y]![0]![at]!, 0),
        1e-9,
        'KL',
      );
    });
  });

  test(`${name}: the KL of the label is −log p(y) where it is known, else that of q(y|x) to p(y)`, () => {
    const [kl] = evaluate([own.label!.kl], feeds);
    assert.deepEqual([...kl!.shape], [BATCH]);
    kl!.data.forEach((v, i) => {
      const expected = weightsOf(i).reduce(
        (sum, w, y) => sum + (w > 0 ? w * ((known[i] ? 0 : Math.log(w)) - logPrior[y]!) : 0),
        0,
      );
      close(v, expected, 1e-9, `row ${i}`);
    });
  });

  test(`${name}: the ELBO beside the importance weights is that of the terms, and less where the label is not known`, () => {
    const { logWeight, elbo } = importanceGraph(vae, SAMPLES);
    const { label: own_, ...data } = own;
    const [weights, found, mean, kl] = evaluate([logWeight!, elbo!, logWeights(data), own_!.kl], feeds).map(
      (v) => v.data,
    );
    found!.forEach((v, at) => {
      const i = at % BATCH;
      close(v, mean![at]! - kl![i]!, 1e-9, `row ${i}`);
      if (known[i]) close(v, weights![at]!, 1e-9, `row ${i}, known`);
      else assert.ok(v < weights![at]!, `row ${i}`);
    });
  });

  test(`${name}: importance weights add up over the classes where the label is not known`, () => {
    const each = ofEach([logWeights(given)]);
    evaluate([logWeights(own)], feeds)[0]!.data.forEach((v, at) => {
      const i = at % BATCH;
      const joint = each.map(([w], y) => w![at]! + logPrior[y]!);
      const expected = known[i]
        ? joint[classes.subarray(3 * i, 3 * i + 3).indexOf(1)]!
        : Math.log(joint.reduce((sum, w) => sum + Math.exp(w), 0));
      close(v, expected, 1e-9, `row ${i}`);
    });
  });

  test(`${name}: x is encoded with its likeliest class, and q(y|x) does not see y`, () => {
    const encoded = evaluate([encoderGraph(vae)['mean']!, encoderGraph(vae)['classes']!], feeds);
    const [mean, found] = encoded.map(({ data }) => data) as [Float64Array, Float64Array];
    const each = ofEach([encoderGraph(model)['mean']!]);
    for (let i = 0; i < BATCH; i++) {
      const w = known[i] ? weightsOf(i) : [...found.subarray(3 * i, 3 * i + 3)];
      const y = w.indexOf(Math.max(...w));
      for (const j of [2 * i, 2 * i + 1]) close(mean[j]!, each[y]![0]![j]!, 1e-9, `row ${i}`);
    }
    assert.deepEqual(evaluate([q], withClass(feeds, label, 1))[0]!.data, logQ);
  });
}

test('known labels are told by a penalty: w N/Nₗ times the mean of −log q(y|x) over them', () => {
  const { vae, terms: t, at } = training(rows, aim('elbo'), { batch: BATCH });
  const seen = observation(vae.spec);
  const [penalty, logQ, y] = at(
    t.penalties['classification']!,
    vae.label!.logPosterior(seen),
    knownLabel(LABEL, seen).classes,
  );
  const told = -y!.reduce((sum, v, i) => sum + v * logQ![i]!, 0);
  close(penalty![0]!, (LABEL.weight * told) / (LABEL.known ** 2 * BATCH), 1e-7, 'penalty');
  assert.ok(trainingGraph(vae, aim('elbo')).reported.includes('classification'));
});

test('gradients are those of central differences, whatever the objective made of means', () => {
  const network = mlp({ hidden: [4], activation: 'silu', norm: false });
  for (const [kind, options] of [
    ['elbo', { samples: 2, freeBits: 0.05 }],
    ['capacity', {}],
    ['denoising', {}],
  ] as const) {
    const { vae, losses, feeds } = training({ ...rows, network }, aim(kind, options));
    checkGradients(
      losses.loss,
      vae.parameters.map((p) => p.tensor),
      feeds,
    );
  }
});

test('a variance that a rule moves counts each class as it weighs', () => {
  const optimal = { field: 'age', law: law('gaussianOptimal'), start: 0, size: 1 };
  const one: ModelSpec = { ...rows, shape: [1], parts: [optimal], masked: false };
  const { vae, terms: t, at, feeds } = training(one, aim('elbo'), { batch: BATCH });
  const seen = observation(vae.spec);
  const { classes, known } = knownLabel(LABEL, seen);
  const mean = t.decoded[0]!.likelihood.mean; // [1, Y·B, 1]
  const [next, of, logQ, y, flag] = at(
    Object.values(t.updates)[0]!,
    mean,
    vae.label!.logPosterior(seen),
    classes,
    known,
  );
  const before = feeds[Object.keys(t.updates)[0]!]!.data[0]!;
  const x = feeds['x']!.data;
  let square = 0;
  for (let i = 0; i < BATCH; i++)
    for (let c = 0; c < 3; c++) {
      const weight = flag![i] ? y![3 * i + c]! : Math.exp(logQ![3 * i + c]!);
      square += weight * (x[i]! - of![c * BATCH + i]!) ** 2;
    }
  close(next![0]!, Math.log(0.9 * Math.exp(before) + (0.1 * square) / BATCH), 1e-6, 'log variance');
});

test('every posterior that is drawn from can stand beside a label', () => {
  const drawn = Object.entries(posteriors as Table<PosteriorFamily>)
    .map(([kind, entry]) => [kind, make(entry, 'classes' in entry.options ? { classes: 2 } : {})] as const)
    .filter(([, { random, experts }]) => random && !experts);
  assert.ok(drawn.length > 8);
  for (const [kind, posterior] of drawn) {
    const family = Object.values(priors as Table<ModelSpec['prior']>).map((entry) => make(entry));
    const prior = family.find(({ space }) => space === posterior.space)!;
    const spec = { ...rows, latent: 4, posterior, prior };
    const { number, losses } = training(spec, aim('elbo'), { batch: BATCH });
    assert.ok(Number.isFinite(number(losses.loss)), kind);
  }
});

test('an evaluation counts the labels that are known and those that are told rightly', () => {
  const { vae, feeds } = small(rows, { batch: BATCH });
  const { known, right } = evaluationGraph(vae);
  const [flags, hits, q] = evaluate([known!, right!, encoderGraph(vae)['classes']!], feeds);
  assert.deepEqual([...flags!.data], [1, 0, 1, 0]);
  hits!.data.forEach((hit, i) => {
    const own = [...q!.data.subarray(3 * i, 3 * i + 3)];
    assert.equal(hit, Number(flags!.data[i] === 1 && own.indexOf(Math.max(...own)) === i % 3));
  });
});
