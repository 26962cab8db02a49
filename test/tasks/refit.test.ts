/** Samplers fitted to trained models: kept in the folder, checked, used by sample; and what is refused. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { UserError } from '../../src/errors.ts';
import { readSafetensors, writeSafetensors } from '../../src/model/index.ts';
import {
  info,
  load,
  type Model,
  type RefitEvent,
  type RefitOptions,
  refit,
  sample,
} from '../../src/tasks/index.ts';
import { latentRows, rowForm } from '../../src/tasks/latents.ts';
import type { RefitPlan, RefitSaved } from '../../src/tasks/refit.ts';
import { openFor } from '../../src/tasks/rows.ts';
import { openZSource } from '../../src/tasks/samplers.ts';
import { temporaryFolder } from '../data/files.ts';
import { idxFile, tableFile, trained } from './data.ts';

const folder = temporaryFolder();
const [reals, codes] = [join(folder, 'reals.model'), join(folder, 'codes.model')];
let [table, pictures] = ['', ''];

before(async () => {
  table = tableFile(folder);
  pictures = idxFile(folder);
  await trained({ data: table, out: reals });
  const posterior = { kind: 'vq', codes: 8, dim: 2 } as const;
  await trained({ data: pictures, out: codes, latent: 6, posterior, network: { kind: 'mlp', hidden: [16] } });
});

const refused = (made: Promise<unknown>, message: RegExp) =>
  assert.rejects(made, (error: Error) => {
    assert.ok(error instanceof UserError, error.stack);
    assert.match(error.message, message);
    return true;
  });

async function using<T>(path: string, use: (model: Model) => Promise<T>): Promise<T> {
  const model = await load(path, { threads: 1 });
  try {
    return await use(model);
  } finally {
    await model.dispose();
  }
}

const refitted = (path: string, data: string, options: RefitOptions): Promise<RefitEvent[]> =>
  using(path, async (model) => {
    const events: RefitEvent[] = [];
    for await (const event of refit(model, data, options)) events.push(event);
    return events;
  });

const sampled = (path: string, sampler?: string) =>
  using(path, (model) => sample(model, { count: 40, ...(sampler && { sampler }) }));

test('a mixture is fitted to what a table is encoded as, and sampled from by default', async () => {
  const before = await sampled(reals);
  const events = await refitted(reals, table, { sampler: { kind: 'gmm', components: 3 } });
  assert.deepEqual([events[0]!.type, events[1]!.type, events.at(-1)!.type], ['plan', 'progress', 'saved']);
  const saved = events.at(-1) as Extract<RefitEvent, { type: 'saved' }>;
  const value = (name: string) => saved.figures[name]!.value;
  assert.ok(Math.abs(value('−log p(z) of the prior') - value('−log p(z)') - value('ELBO gained')) < 1e-9);
  const after = await sampled(reals);
  assert.deepEqual(after, await sampled(reals, 'gmm'));
  assert.notDeepEqual(after, before);
  assert.deepEqual(await sampled(reals, 'prior'), before, 'the prior is still there');
});

test('codes get an autoregressive prior, and its samples are made of entries of the codebook', async () => {
  const options = { sampler: { width: 8, layers: 1, epochs: 2 } } as const;
  const events = await refitted(codes, pictures, options);
  const plan = events[0] as Extract<RefitEvent, { type: 'plan' }>;
  assert.deepEqual([plan.sampler, plan.form], ['autoregressive', { width: 3, entries: 8 }]);
  const saved = events.at(-1) as Extract<RefitEvent, { type: 'saved' }>;
  const prior = saved.figures['−log p(z) of the prior']!.value;
  assert.ok(Math.abs(prior - 3 * Math.log(8)) < 1e-4, 'N log K');
  const rows = await sampled(codes);
  assert.equal(rows.count, 40);
  assert.deepEqual(rows, await sampled(codes), 'the same seed, the same pictures');
  assert.notDeepEqual(rows, await sampled(codes, 'prior'));
});

test('every sampler of real latent variables is fitted, kept and drawn from', async () => {
  const quickly = { width: 8, epochs: 1 };
  const given = [
    { kind: 'flow', steps: 2, ...quickly },
    { kind: 'twoStage', layers: 1, ...quickly },
    { kind: 'vamp', components: 20 },
    { kind: 'uniformSphere' },
  ] as const;
  for (const sampler of given) {
    const saved = (await refitted(reals, table, { sampler })).at(-1) as RefitSaved;
    assert.ok(Number.isFinite(saved.figures['ELBO gained']!.value), sampler.kind);
    const rows = await sampled(reals, sampler.kind);
    assert.deepEqual(
      rows,
      await sampled(reals, sampler.kind),
      `${sampler.kind}: the same seed, the same rows`,
    );
    assert.notDeepEqual(rows, await sampled(reals, 'prior'));
  }
  const found = await sampled(reals);
  assert.deepEqual(found, await sampled(reals, 'uniformSphere'), 'the last');
  const { protocol } = (await info(reals)).samplers['twoStage']!.figures['ELBO gained']!;
  assert.match(protocol, /validation rows, .* by 64 importance samples/);
});

/** Rows whose number depends on a class, which every other row lacks if told to. */
function classedFile(name: string, missing: boolean): string {
  const path = join(folder, name);
  const lines = Array.from({ length: 400 }, (_, i) => {
    const kind = ['low', 'high'][i % 2]!;
    const noise = ((i * 7919) % 1000) / 500 - 1;
    return `${missing && i % 4 > 1 ? '' : kind},${(i % 2) * 10 + noise},${((i * 104_729) % 1000) / 100}`;
  });
  writeFileSync(path, `kind,height,width\n${lines.join('\n')}\n`);
  return path;
}

test('a sampler of a model that is given something is p(z|c), and what cannot be is refused', async () => {
  const out = join(folder, 'given.model');
  const data = classedFile('classed.csv', false);
  await trained({ data, out, condition: ['kind'], epochs: 10, batchSize: 32 });
  await refused(refitted(out, data, { sampler: { kind: 'gmm' } }), /sampler "gmm": .* would not see them/);
  const events = await refitted(out, data, { sampler: { kind: 'flow', steps: 2, width: 16, epochs: 2 } });
  assert.deepEqual((events[0] as RefitPlan).form, { width: 2, given: 2, gaussian: true });
  await using(out, async (model) => {
    const draw = (kind: string) => sample(model, { count: 30, given: { kind } });
    assert.deepEqual(await draw('low'), await draw('low'));
    assert.notDeepEqual((await draw('low')).columns[0], (await draw('high')).columns[0]);
  });
});

test('labels that rows lack are those with which they are encoded', async () => {
  const out = join(folder, 'labelled.model');
  const data = classedFile('labelled.csv', true);
  await trained({ data, out, predict: 'kind', epochs: 10, batchSize: 32 });
  await using(out, async (model) => {
    const source = await openFor(model, data);
    const { given } = await latentRows(model, source, ['train'], { count: 1000, seed: 0 });
    await source.close();
    const size = rowForm(model).given!;
    for (let at = 0; at < given!.length; at += size) {
      const [low, high, known] = given!.subarray(at, at + size);
      assert.deepEqual([low! + high!, known], [1, 1]);
    }
  });
});

test('data that the model was not trained on is taken whole, every tenth row held back', async () => {
  const fewer = join(folder, 'fewer.csv');
  writeFileSync(fewer, readFileSync(table, 'utf8').split('\n').slice(0, 101).join('\n'));
  const [plan] = await refitted(reals, fewer, { sampler: { kind: 'gmm', components: 2 } });
  assert.deepEqual((plan as Extract<RefitEvent, { type: 'plan' }>).rows, { train: 90, validation: 10 });
});

test('what cannot be fitted or sampled from is refused in words', async () => {
  await refused(
    refitted(codes, pictures, { sampler: { kind: 'gmm' } }),
    /sampler "gmm": it is for real vectors, and this model's posterior gives codes \(for these: autoregressive, transformer\)/,
  );
  await refused(
    refitted(reals, table, { sampler: { kind: 'autoregressive' } }),
    /sampler "autoregressive": it is for codes, .* real vectors \(for these: gmm, flow, /,
  );
  await refused(
    refitted(reals, table, { sampler: { kind: 'gmm', components: 0 } }),
    /sampler "gmm": components: /,
  );
  await refused(refitted(reals, table, { count: 1 }), /count 1: expected a whole number from 2/);
  await refused(refitted(codes, pictures, { sampler: { layers: 0 } }), /sampler "autoregressive": layers: /);
  await refused(
    sampled(codes, 'gmm'),
    /codes\.model has no sampler "gmm" \(it has: prior, autoregressive\): elbo refit .* --sampler gmm fits one/,
  );
});

test('a temperature that would change nothing is refused', async () => {
  await refused(
    using(codes, (model) => sample(model, { sampler: 'prior', temperature: 0.5 })),
    /temperature 0\.5: the prior "uniform" has every z alike/,
  );
  await refused(
    using(codes, (model) => sample(model, { sampler: 'prior', truncate: 2 })),
    /truncate 2: the prior "uniform" has every z alike/,
  );
  await refused(
    using(codes, (model) => sample(model, { sampler: 'autoregressive', truncate: 2 })),
    /truncate 2: the draws of sampler "autoregressive" are not made of normal numbers/,
  );
  await refused(
    using(codes, (model) => sample(model, { truncate: 0 })),
    /truncate 0: expected 0\.01 or more/,
  );
  const cold = (temperature: number) =>
    using(codes, (model) => sample(model, { sampler: 'autoregressive', temperature, mean: true }));
  assert.notDeepEqual(await cold(0.5), await cold(1));
});

test('normal numbers without tails keep z to the middle', async () => {
  await using(reals, async (model) => {
    for (const name of ['prior', 'gmm', 'flow', 'twoStage', 'vamp']) {
      const source = await openZSource(model, name);
      const draw = (truncation?: number) => source.draw(200, { seed: 1, at: 0, temperature: 1, truncation });
      const [whole, cut, few] = [await draw(), await draw(3), await draw(0.5)];
      assert.deepEqual(cut, await draw(3), name);
      assert.notDeepEqual(few, whole, name);
      if (name === 'prior')
        assert.ok(few.every((v) => Math.abs(v) <= 0.5) && few.some((v) => Math.abs(v) > 0.4));
      await source.dispose();
    }
    const rows = await sample(model, { count: 5, sampler: 'prior', truncate: 1 });
    assert.notDeepEqual(rows, await sample(model, { count: 5, sampler: 'prior' }));
  });
});

test('a sampler that is damaged, newer, or of other weights is refused by its path', async () => {
  const copy = join(folder, 'copy.model');
  cpSync(reals, copy, { recursive: true });
  const others = ['flow', 'twoStage', 'vamp', 'uniformSphere'];
  for (const name of others) rmSync(join(copy, 'samplers', `${name}.safetensors`));
  const path = join(copy, 'samplers', 'gmm.safetensors');
  const bytes = new Uint8Array(readFileSync(path));
  const { tensors, metadata } = readSafetensors(bytes);
  const facts = JSON.parse(metadata['sampler']!) as Record<string, unknown>;
  const rewrite = (changed: object, own = tensors) =>
    writeFileSync(path, writeSafetensors(own, { sampler: JSON.stringify({ ...facts, ...changed }) }));
  rewrite({ version: 2 });
  await refused(sampled(copy), /gmm\.safetensors was written by a newer Elbo \(format 2/);
  rewrite({ format: 'x' });
  await refused(sampled(copy), /gmm\.safetensors: not a sampler that Elbo wrote/);
  rewrite({ rows: 3 });
  await refused(sampled(copy), /gmm\.safetensors is damaged:\n.*rows/s);
  rewrite({ weights: '0'.repeat(64) });
  await refused(
    sampled(copy),
    /gmm\.safetensors was fitted to other weights than the model has: fit it again/,
  );
  rewrite({ config: { kind: 'gmm', components: 4, covariance: 'full', iterations: 1 } });
  await refused(sampled(copy), /gmm\.safetensors has \[2\] for "weights", expected \[4\]/);
  rewrite(
    {},
    { ...tensors, means: { ...tensors['means']!, data: tensors['means']!.data.map((v) => v + 1) } },
  );
  await refused(sampled(copy), /gmm\.safetensors is damaged: its tensors are not what was saved/);
  writeFileSync(path, bytes.subarray(0, 100));
  await refused(sampled(copy), /gmm\.safetensors: truncated/);
  writeFileSync(path, bytes);
  assert.deepEqual(await sampled(copy), await sampled(reals, 'gmm'));
});
