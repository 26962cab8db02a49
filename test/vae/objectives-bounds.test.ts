/** Bounds against their formulas in plain arithmetic, their limits, and gradients that take another road. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../src/errors.ts';
import { gradients } from '../../src/graph/index.ts';
import { stream } from '../../src/random/index.ts';
import {
  createVae,
  decoderGraph,
  isInference,
  type Objective,
  type ObjectiveName,
} from '../../src/vae/index.ts';
import { compile, evaluate, type Feeds, value } from '../reference.ts';
import { exactPosterior, type LinearGaussian } from './linear-gaussian.ts';
import { linearSpec, mixedSpec } from './models.ts';
import { aim, close, mean, rowsOf, sum, training } from './training.ts';

const BETA = Math.fround(0.7); // as `small` feeds it

const logMeanExp = (values: readonly number[]): number => Math.log(mean(values.map((v) => Math.exp(v))));

/** log p(x|z) + β (log p(z) − log q(z|x)), by example and sample. */
function weightsOf({ terms: t, at }: ReturnType<typeof training>, beta = BETA): number[][] {
  const { logPz, logQz } = t.levels[0]!;
  const [px, pz, qz] = at(t.logPx, logPz, logQz) as [Float64Array, Float64Array, Float64Array];
  const samples = rowsOf(
    px.map((v, i) => v + beta * (pz[i]! - qz[i]!)),
    3,
  );
  return [0, 1, 2].map((example) => samples.map((row) => row[example]!));
}

interface Formula {
  readonly options: object;
  /** Of one example, from the logs of its weights. */
  readonly bound: (w: readonly number[]) => number;
  readonly by?: number;
}

const bounds: Partial<Record<ObjectiveName, readonly Formula[]>> = {
  stl: [{ options: { samples: 4 }, bound: mean }],
  iwae: [
    { options: { samples: 4 }, bound: logMeanExp },
    { options: { samples: 4, backwardSamples: 2 }, bound: logMeanExp },
  ],
  miwae: [
    { options: { samples: 4, groups: 1 }, bound: logMeanExp },
    {
      options: { samples: 6, groups: 2 },
      bound: (w) => mean([logMeanExp([w[0]!, w[2]!, w[4]!]), logMeanExp([w[1]!, w[3]!, w[5]!])]),
    },
    { options: { samples: 4, groups: 4 }, bound: mean },
  ],
  piwae: [{ options: { samples: 4, groups: 2 }, bound: logMeanExp }],
  ciwae: [
    { options: { samples: 4, elboShare: 0 }, bound: logMeanExp },
    { options: { samples: 4, elboShare: 1 }, bound: mean },
    { options: { samples: 4, elboShare: 0.25 }, bound: (w) => 0.25 * mean(w) + 0.75 * logMeanExp(w) },
  ],
  dreg: [
    { options: { samples: 4 }, bound: logMeanExp },
    { options: { samples: 4, backwardSamples: 2 }, bound: logMeanExp },
  ],
  renyi: [
    { options: { samples: 4, alpha: 0 }, bound: logMeanExp },
    { options: { samples: 4, alpha: 1 }, bound: mean },
    ...[1 - 2e-3, 1 - 5e-4, 1 + 5e-4].map((alpha) => ({
      options: { samples: 4, alpha },
      bound: (w: readonly number[]) => logMeanExp(w.map((v) => (1 - alpha) * v)) / (1 - alpha),
      by: 1e-5,
    })),

    { options: { samples: 4, alpha: 0.5 }, bound: (w) => 2 * logMeanExp(w.map((v) => v / 2)) },
    { options: { samples: 4, alpha: -2 }, bound: (w) => logMeanExp(w.map((v) => 3 * v)) / 3 },
  ],
  vrMax: [{ options: { samples: 4 }, bound: (w) => Math.max(...w) }],
};

for (const [kind, list] of Object.entries(bounds) as [ObjectiveName, readonly Formula[]][]) {
  for (const { options, bound, by = 2e-6 } of list) {
    test(`${kind} ${JSON.stringify(options)} is its formula`, () => {
      const trained = training(mixedSpec, aim(kind, options));
      const expected = -mean(weightsOf(trained).map((w) => bound(w)));
      close(trained.number(trained.losses.loss), expected, by, 'loss');
    });
  }
}

test('for the encoder, piwae is the mean of the bounds of its groups', () => {
  const trained = training(mixedSpec, aim('piwae', { samples: 4, groups: 2 }));
  const groups = (w: readonly number[]) => [0, 1].map((g) => logMeanExp([w[g]!, w[g + 2]!]));
  const expected = mean(weightsOf(trained).map((w) => mean(groups(w))));
  close(trained.number(trained.losses.inference!), -expected, 1e-6, 'inference');
  close(trained.number(trained.losses.report!['miwae']!), expected, 1e-6, 'report');
});

test('with one sample every bound is the ELBO with sampled KL', () => {
  const one = { samples: 1 };
  const all: [ObjectiveName, object][] = [
    ['stl', one],
    ['iwae', one],
    ['miwae', { ...one, groups: 1 }],
    ['piwae', { ...one, groups: 1 }],
    ['ciwae', one],
    ['dreg', one],
    ['renyi', { ...one, alpha: -1 }],
    ['vrMax', one],
  ];
  for (const [kind, options] of all) {
    const trained = training(mixedSpec, aim(kind, options));
    const expected = -mean(weightsOf(trained).map(([w]) => w!));
    close(trained.number(trained.losses.loss), expected, 1e-6, kind);
  }
});

test('bounds rise from the ELBO to the largest weight as α falls', () => {
  const loss = (kind: ObjectiveName, options: object): number => {
    const trained = training(mixedSpec, aim(kind, { samples: 8, ...options }));
    return trained.number(trained.losses.loss);
  };
  const losses = [1, 0.9, 0.5, 0, -1, -10].map((alpha) => loss('renyi', { alpha }));
  losses.push(loss('vrMax', {}));
  for (let i = 1; i < losses.length; i++) assert.ok(losses[i]! < losses[i - 1]!, `${losses}`);
});

test('as many backward samples as samples are refused in words', () => {
  assert.throws(
    () => aim('iwae', { samples: 4, backwardSamples: 4 }),
    (e) => e instanceof UserError && /4 backward samples of 4 spare nothing/.test(e.message),
  );
  assert.throws(() => aim('dreg', { samples: 3, backwardSamples: 5 }), UserError);
});

test('groups that do not part the samples are refused in words', () => {
  for (const kind of ['miwae', 'piwae'] as const)
    assert.throws(
      () => aim(kind, { samples: 5, groups: 2 }),
      (e) => e instanceof UserError && /5 samples do not part into 2 groups/.test(e.message),
    );
});

const SAMPLES = 3;

interface Sampling {
  readonly seeds: number;
  /** In a batch. */
  readonly rows: number;
  /** Whether a parameter is one to look at, by name. */
  readonly moved?: (name: string) => boolean;
  /** Backward samples. */
  readonly few?: number;
}

/** Gradients of what moves the parameters, at one example many times over, once for each seed. */
function gradientsOf(
  objective: Objective,
  feeds: Feeds,
  { seeds, rows, moved = isInference, few = 1 }: Sampling,
): number[][] {
  const { vae, losses } = training(linearSpec, objective);
  const { loss, inference = loss } = losses;
  const own = vae.parameters.filter((p) => moved(p.name)).map((p) => p.tensor);
  const compiled = compile(gradients(inference, own));
  const random = {
    noise: new Float32Array(SAMPLES * rows * 2),
    chosen: new Float32Array(few * SAMPLES * rows),
  };
  return Array.from({ length: seeds }, (_, seed) => {
    stream(seed, 'gradients').normal(random.noise);
    stream(seed, 'chosen').gumbel(random.chosen);
    const found = compiled({
      ...feeds,
      noise: value(random.noise, [SAMPLES * rows, 2]),
      'noise.chosen': value(random.chosen, [few * rows, SAMPLES]),
      scale: value([1 / rows], []),
    });
    return found.flatMap(({ data }) => [...data]);
  });
}

/** A model away from its best, and one example `rows` times. */
function linearFeeds(rows: number, beta: number): Feeds {
  const { feeds } = training(linearSpec, aim('iwae', { samples: SAMPLES }), { seed: 3 });
  const x = Array.from({ length: rows }, () => [0.8, -1.1, 0.4]).flat();
  return { ...feeds, x: value(x, [rows, 3]), beta: value([beta], []) };
}

/** Mean and standard error of each column. */
function columns(rows: readonly (readonly number[])[]): { mean: number; error: number }[] {
  return rows[0]!.map((_, j) => {
    const own = rows.map((row) => row[j]!);
    const centre = mean(own);
    const variance = sum(own.map((v) => (v - centre) ** 2)) / (own.length - 1);
    return { mean: centre, error: Math.sqrt(variance / own.length) };
  });
}

/** Known well enough, and the same. */
function sameMeans(expected: ReturnType<typeof columns>, found: ReturnType<typeof columns>): void {
  const size = Math.max(...expected.map((e) => Math.abs(e.mean)));
  expected.forEach((e, j) => {
    const error = Math.hypot(e.error, found[j]!.error);
    close(found[j]!.mean, e.mean, 4 * error + 1e-9, `parameter ${j}`);
    assert.ok(error < 0.05 * size, `parameter ${j} is known to ${error} only`);
  });
}

const pairs: [string, ObjectiveName, ObjectiveName, number][] = [
  ['sticking the landing has', 'elbo', 'stl', 1],
  ['sticking the landing, while the KL is warmed up, has', 'elbo', 'stl', 0.4],
  ['the doubly reparameterised gradient has', 'iwae', 'dreg', 1],
  ['the doubly reparameterised gradient, while the KL is warmed up, has', 'iwae', 'dreg', 0.4],
];
for (const [what, plain, other, beta] of pairs) {
  test(`${what} the same mean as the plain gradient`, () => {
    const feeds = linearFeeds(300, beta);
    const of = (kind: ObjectiveName) =>
      columns(gradientsOf(aim(kind, { samples: SAMPLES }), feeds, { seeds: 40, rows: 300 }));
    sameMeans(of(plain), of(other));
  });
}

for (const [kind, few, beta] of [
  ['iwae', 1, 1],
  ['iwae', 1, 0.4],
  ['iwae', 2, 1],
  ['dreg', 1, 1],
  ['dreg', 2, 0.4],
] as const)
  test(`${kind}: the gradient through ${few} samples, chosen by weight, has the mean of that through all, β ${beta}`, () => {
    const feeds = linearFeeds(300, beta);
    const moved = kind === 'dreg' ? isInference : () => true;
    const of = (options: object) => {
      const objective = aim(kind, { samples: SAMPLES, ...options });
      return columns(gradientsOf(objective, feeds, { seeds: 60, rows: 300, moved, few }));
    };
    sameMeans(of({}), of({ backwardSamples: few }));
  });

test('gradients that take another road are not those of the plain loss, sample by sample', () => {
  const feeds = linearFeeds(2, 1);
  const first = (kind: ObjectiveName) =>
    gradientsOf(aim(kind, { samples: SAMPLES }), feeds, { seeds: 1, rows: 2 })[0]!;
  for (const [plain, other] of [
    ['elbo', 'stl'],
    ['iwae', 'dreg'],
  ] as const)
    assert.ok(
      first(plain).some((g, i) => Math.abs(g - first(other)[i]!) > 1e-3),
      other,
    );
});

test('at the exact posterior, sticking the landing has no noise left, nor has the doubly reparameterised gradient', () => {
  const vae = createVae(linearSpec);
  const { feeds } = training(linearSpec, aim('stl', { samples: SAMPLES }));
  const w = [
    [0.8, 0.3],
    [-0.4, 0.6],
    [0.5, 0],
  ];
  const b = [0.2, -1, 0.5];
  const decoder: Feeds = {
    'decoder.output.weight': value([...w.map((row) => row[0]!), ...w.map((row) => row[1]!)], [2, 3]),
    'decoder.output.bias': value(b, [3]),
  };
  const [logVar] = evaluate([decoderGraph(vae)['row.logVar']!], {
    ...feeds,
    ...decoder,
    z: value([0, 0], [1, 2]),
  });
  const model: LinearGaussian = { w, b, variance: Math.exp(logVar!.data[0]!) };
  const { weight, bias } = exactPosterior(model);
  const fed = {
    ...linearFeeds(2, 1),
    ...decoder,
    'posterior.weight': value(weight, [3, 4]),
    'posterior.bias': value(bias, [4]),
  };
  const largest = (kind: ObjectiveName): number =>
    Math.max(
      ...gradientsOf(aim(kind, { samples: SAMPLES }), fed, { seeds: 3, rows: 2 })
        .flat()
        .map(Math.abs),
    );
  assert.ok(largest('stl') < 1e-6, `stl ${largest('stl')}`);
  assert.ok(largest('dreg') < 1e-6, `dreg ${largest('dreg')}`);
  assert.ok(largest('elbo') > 0.01 && largest('iwae') > 0.01);
});

test('what the decoder learns from stl and dreg is what it learns from the plain bounds', () => {
  const decoderGradients = (kind: ObjectiveName): number[] => {
    const { vae, losses, at } = training(mixedSpec, aim(kind, { samples: 3 }));
    const decoder = vae.parameters.filter((p) => !isInference(p.name)).map((p) => p.tensor);
    return at(...gradients(losses.loss, decoder)).flatMap((g) => [...g]);
  };
  const [elbo, stl, iwae, dreg] = (['elbo', 'stl', 'iwae', 'dreg'] as const).map(decoderGradients);
  stl!.forEach((g, i) => {
    close(g, elbo![i]!, 1e-9, `stl ${i}`);
  });
  dreg!.forEach((g, i) => {
    close(g, iwae![i]!, 1e-9, `dreg ${i}`);
  });
});
