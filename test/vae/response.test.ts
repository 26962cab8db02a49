/** The Jacobian of the decoder times a vector is the slope of its outputs, for every law and network. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Table } from '../../src/choice.ts';
import { ladder, mlp } from '../../src/nn/index.ts';
import {
  type Law,
  type LikelihoodName,
  likelihoods,
  type ModelSpec,
  make,
  posteriors,
  priors,
  responseGraph,
  slopeGraph,
} from '../../src/vae/index.ts';
import { draw, random } from '../check.ts';
import { compile, type Value } from '../reference.ts';
import { law, mixedSpec, pictureSpec, small } from './models.ts';

const BATCH = 2;
const STEP = 1e-5;

/** Slopes by the graph and by central differences along a random direction. */
function check(spec: ModelSpec, name: string): void {
  const { vae, feeds } = small(spec, { batch: BATCH });
  const next = random(5);
  const [z, direction] = [0, 1].map(() => draw({ shape: ['B', vae.spec.latent] }, BATCH, next)) as [
    Value,
    Value,
  ];
  const values = responseGraph(vae);
  const names = Object.keys(values);
  const run = compile(Object.values(values));
  const at = (step: number) =>
    run({ ...feeds, z: { ...z, data: z.data.map((v, i) => v + step * direction.data[i]!) } as Value });
  const [low, high] = [at(-STEP), at(STEP)];
  const outputs = slopeGraph(vae);
  const all = compile(Object.values(outputs))({ ...feeds, z, direction });
  const byName = Object.fromEntries(Object.keys(outputs).map((key, i) => [key, all[i]!]));
  let largest = 0;
  names.forEach((key, k) => {
    const slope = byName[`${key}Slope`]!;
    assert.deepEqual(slope.shape, byName[key]!.shape, `${name}: ${key}`);
    for (const [i, v] of slope.data.entries()) {
      const expected = (high[k]!.data[i]! - low[k]!.data[i]!) / (2 * STEP);
      assert.ok(
        Math.abs(v - expected) < 1e-6 * (1 + Math.abs(expected)),
        `${name}: ${key}[${i}] ${v}, ${expected}`,
      );
      largest = Math.max(largest, Math.abs(v));
    }
  });
  assert.ok(largest > 1e-3, `${name}: nothing moves`);
}

test('mixed rows, pictures and ladders', () => {
  check(mixedSpec, 'mixed');
  check(pictureSpec, 'pictures');
  check(
    { ...pictureSpec, network: ladder({ levels: [1, 1], channels: 3, activation: 'silu', blocks: 0 }) },
    'ladder',
  );
  check({ ...mixedSpec, condition: 2 }, 'given');
});

for (const name of Object.keys(likelihoods) as LikelihoodName[])
  test(`the law ${name}`, () => {
    const one = law(name);
    if (one.pictures)
      return check({ ...pictureSpec, parts: pictureSpec.parts.map((p) => ({ ...p, law: one })) }, name);
    const size = one.support === 'class' || one.support === 'order' ? 3 : 1;
    const parts = [0, 1].map((j) => ({ field: `f${j}`, law: one, start: j * size, size }));
    check(
      {
        shape: [2 * size],
        parts,
        masked: false,
        latent: 3,
        posterior: make(posteriors.gaussian),
        prior: make(priors.normal),
        network: mlp({ hidden: [5], activation: 'tanh', norm: false }),
      },
      name,
    );
  });

test('only Gaussians have a deviation, learned or decoded', () => {
  const deviations = (kind: LikelihoodName) => {
    const own = make((likelihoods as Table<Law>)[kind]!);
    const spec = {
      ...mixedSpec,
      shape: [1],
      parts: [{ field: 'a', law: own, start: 0, size: 1 }],
      masked: false,
    };
    const { vae, feeds } = small(spec, { batch: BATCH });
    const z = draw({ shape: ['B', 2] }, BATCH, random(3));
    return [...compile([responseGraph(vae)['deviation']!])({ ...feeds, z })[0]!.data];
  };
  const [a, b] = deviations('gaussianPredicted');
  assert.ok(a! > 0 && a !== b);
  const [c, d] = deviations('gaussian');
  assert.ok(c! > 0 && c === d);
  assert.deepEqual(deviations('laplace'), [0, 0]);
});
