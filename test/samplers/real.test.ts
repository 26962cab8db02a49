/** Samplers over real numbers, on rows around a circle or along a parabola: their densities, fits and draws against what is known of these. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { make } from '../../src/choice.ts';
import { stream, variates } from '../../src/random/index.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import {
  type Fitting,
  type LatentRows,
  meanOf,
  type Sampler,
  type SamplerFamily,
  samplers,
  type Tensors,
  unfit,
} from '../../src/samplers/index.ts';

const runtime = nodeRuntime({ threads: 1 });
const form = { width: 2, gaussian: true };
type Rows = Required<Pick<LatentRows, 'rows' | 'mean' | 'logVar'>>;

/** Something that is no Gaussian. */
interface Law {
  readonly rows: (count: number, seed: number) => Rows;
  /** Mean log density of its rows, −entropy. */
  readonly logProb: number;
  /** The same under the best single Gaussian. */
  readonly gaussian: number;
  readonly centre: readonly [number, number];
}

const entropy = (variance: number) => 0.5 * Math.log(2 * Math.PI * Math.E * variance);
const [RADIUS, SPREAD, POSTERIOR] = [2, 0.3, 0.15];

/** Distance about N(2, 0.3²) from (1, −1), all directions alike; each row drawn from a posterior N(mean, 0.15² I) around such a point. */
const circle: Law = {
  centre: [1, -1],
  logProb: -Math.log(2 * Math.PI * RADIUS) - entropy(SPREAD ** 2),
  gaussian: -2 * entropy((RADIUS ** 2 + SPREAD ** 2) / 2),
  rows: (count, seed) => {
    const { normal, uniform } = variates(stream(seed, 'circle'));
    const inner = Math.sqrt(SPREAD ** 2 - POSTERIOR ** 2);
    const mean = new Float32Array(2 * count);
    for (let i = 0; i < count; i++) {
      const [angle, r] = [2 * Math.PI * uniform(), RADIUS + inner * normal()];
      mean.set([1 + r * Math.cos(angle), -1 + r * Math.sin(angle)], 2 * i);
    }
    return {
      mean,
      logVar: new Float32Array(2 * count).fill(2 * Math.log(POSTERIOR)),
      rows: mean.map((v) => v + POSTERIOR * normal()),
    };
  },
};

/** (a, a² + 0.3 ε) with a and ε from N(0, 1). */
const parabola: Law = {
  centre: [0, 1],
  logProb: -entropy(1) - entropy(SPREAD ** 2),
  gaussian: -entropy(1) - entropy(2 + SPREAD ** 2),
  rows: (count, seed) => {
    const { normal } = variates(stream(seed, 'parabola'));
    const rows = new Float32Array(2 * count);
    for (let i = 0; i < count; i++) {
      const a = normal();
      rows.set([a, a * a + SPREAD * normal()], 2 * i);
    }
    return { rows, mean: rows, logVar: rows };
  },
};

interface Case {
  readonly family: SamplerFamily;
  readonly law: Law;
  /** Nats that it may be worse than the law itself, at most. */
  readonly short: number;
  /** Whether its density is exact. */
  readonly exact?: boolean;
}

const small = { width: 32, epochs: 15 };
const cases: Readonly<Record<string, Case>> = {
  gmm: { family: make(samplers.gmm, { components: 12 }), law: circle, short: 0.1 },
  vamp: { family: make(samplers.vamp, { components: 400 }), law: circle, short: 0.3 },
  uniformSphere: { family: make(samplers.uniformSphere), law: circle, short: 0.1 },
  maf: { family: make(samplers.flow, { ...small, steps: 3 }), law: parabola, short: 0.5 },
  realNVP: {
    family: make(samplers.flow, { ...small, flow: 'realNVP', steps: 4 }),
    law: parabola,
    short: 0.5,
  },
  twoStage: {
    family: make(samplers.twoStage, { ...small, layers: 2 }),
    law: parabola,
    short: 0.8,
    exact: false,
  },
};

const setOf = ({ rows }: Law, count = 3000) => ({ train: rows(count, 1), validation: rows(400, 2) });
const heldOut = ({ rows }: Law) => rows(2000, 3);

async function fitted(
  family: SamplerFamily,
  fitting: Pick<Fitting, 'train' | 'validation'> & Partial<Fitting>,
): Promise<Tensors> {
  const rounds = family.fit({ form, seed: 1, runtime, ...fitting });
  for (;;) {
    const { done, value } = await rounds.next();
    if (done) return value;
    for (const figure of [value.train, value.validation ?? 0]) assert.ok(Number.isFinite(figure));
  }
}

const opened: Record<string, { tensors: Tensors; sampler: Sampler }> = {};
before(async () => {
  for (const [name, { family, law }] of Object.entries(cases)) {
    const tensors = await fitted(family, setOf(law));
    opened[name] = { tensors, sampler: await family.open(tensors, form, runtime) };
  }
});

/** Rows of a grid, and the area of a cell. */
function grid(cells: number, half: number, centre: readonly [number, number]) {
  const step = (2 * half) / cells;
  const place = (i: number, middle: number) => middle - half + (i + 0.5) * step;
  const rows = new Float32Array(2 * cells ** 2);
  for (let i = 0; i < cells ** 2; i++)
    rows.set([place(i % cells, centre[0]), place(Math.floor(i / cells), centre[1])], 2 * i);
  return { rows, area: step ** 2 };
}

for (const [name, { family, law, short, exact = true }] of Object.entries(cases)) {
  test(`${name}: the tensors are those that it says`, () => {
    const shapes = Object.entries(opened[name]!.tensors).map(([key, { shape }]) => [key, shape]);
    assert.deepEqual(Object.fromEntries(shapes), family.shapes(form));
  });

  test(`${name}: the density integrates to 1`, async () => {
    const { rows, area } = grid(80, 8, law.centre);
    const all = await opened[name]!.sampler.logProbs({ rows });
    const total = all.reduce((sum, v) => sum + Math.exp(v) * area, 0);
    assert.ok(total > (exact ? 0.985 : 0.9) && total < 1.01, `${total}`);
    assert.equal(opened[name]!.sampler.estimate === undefined, exact);
  });

  test(`${name}: held-back rows are likelier than under one Gaussian, and no more than under the law itself`, async () => {
    const mean = meanOf(await opened[name]!.sampler.logProbs(heldOut(law)));
    assert.ok(mean > law.logProb - short, `${mean}, the law itself ${law.logProb}`);
    assert.ok(mean > law.gaussian + 0.4, `${mean}, a Gaussian ${law.gaussian}`);
    assert.ok(mean < law.logProb + 0.1, `${mean}, the law itself ${law.logProb}`);
  });

  test(`${name}: draws are as likely as held-back rows, where these are, and the same for the same seed`, async () => {
    const { sampler } = opened[name]!;
    const rows = await sampler.draw(2000, stream(5, 'draw'), 1);
    assert.deepEqual(await sampler.draw(2000, stream(5, 'draw'), 1), rows);
    const [own, held] = [await sampler.logProbs({ rows }), await sampler.logProbs(heldOut(law))].map(meanOf);
    assert.ok(Math.abs(own! - held!) < 0.4, `draws ${own}, held-back rows ${held}`);
    for (const [j, centre] of law.centre.entries()) {
      const mean = rows.reduce((sum, v, i) => (i % 2 === j ? sum + v / 2000 : sum), 0);
      assert.ok(Math.abs(mean - centre) < 0.2, `mean ${mean}, expected ${centre}`);
    }
  });

  test(`${name}: a temperature below 1 keeps to what is likely`, async () => {
    const { sampler } = opened[name]!;
    const [cold, warm] = await Promise.all(
      [0.3, 1].map(async (t) =>
        meanOf(await sampler.logProbs({ rows: await sampler.draw(500, stream(6, 'draw'), t) })),
      ),
    );
    assert.ok(cold! > warm! + 0.05, `${cold} at 0.3, ${warm} at 1`);
  });

  test(`${name}: a fit is the same again`, async () => {
    const once = { ...setOf(law, 300), signal: { aborted: true } };
    assert.deepEqual(await fitted(family, once), await fitted(family, once));
  });
}

test('what is given decides where draws are', async () => {
  const { normal } = variates(stream(8, 'given'));
  const count = 1500;
  const given = Float32Array.from({ length: count }, (_, i) => (i % 2 === 0 ? 1 : -1));
  const rows = Float32Array.from({ length: 2 * count }, (_, i) => 3 * given[Math.floor(i / 2)]! + normal());
  const both = { rows, given };
  const given1 = { width: 2, given: 1 };
  for (const family of [cases['maf']!, cases['realNVP']!, cases['twoStage']!].map((c) => c.family)) {
    const tensors = await fitted(family, { form: given1, train: both, validation: both });
    const sampler = await family.open(tensors, given1, runtime);
    const all = await sampler.draw(200, stream(0, 'draw'), 1, given.subarray(0, 200));
    const right = [...all].filter((v, i) => v * given[Math.floor(i / 2)]! > 0).length;
    assert.ok(right > 0.97 * all.length, `${right} of ${all.length} numbers are where they are to be`);
    const other = { rows, given: given.map((v) => -v) };
    const [own, wrong] = [await sampler.logProbs(both), await sampler.logProbs(other)].map(meanOf);
    assert.ok(own! > wrong! + 5, `log p ${own}, with what was not given ${wrong}`);
    await sampler.dispose();
  }
});

test('what a sampler cannot be fitted to is refused in a sentence', () => {
  const refused = (family: SamplerFamily, of: object, message: RegExp) =>
    assert.match(unfit(family, { ...form, ...of })!, message);
  refused(make(samplers.flow, { flow: 'realNVP' }), { width: 1 }, /no halves: give --flow maf/);
  refused(make(samplers.flow), { width: 1000 }, /1000 dimensions .* give --flow realNVP/);
  refused(make(samplers.vamp), { gaussian: false }, /N\(μ, diag σ²\).* another form/);
  for (const { family } of [cases['gmm']!, cases['vamp']!, cases['uniformSphere']!])
    refused(family, { given: 3 }, /given some of its fields.* would not see them/);
  for (const { family } of Object.values(cases)) assert.equal(unfit(family, form), undefined);
});

test('a dimension that never changes leaves everything finite', async () => {
  const flat = { rows: circle.rows(500, 1).rows.map((v, i) => (i % 2 === 0 ? v : 7)) };
  for (const name of ['maf', 'twoStage', 'uniformSphere'] as const) {
    const { family } = cases[name]!;
    const tensors = await fitted(family, { train: flat, validation: flat, signal: { aborted: true } });
    const sampler = await family.open(tensors, form, runtime);
    for (const v of await sampler.draw(50, stream(0, 'draw'), 1)) assert.ok(Number.isFinite(v), name);
    for (const v of await sampler.logProbs(flat)) assert.ok(Number.isFinite(v), name);
    await sampler.dispose();
  }
});
