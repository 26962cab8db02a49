/** Groups of columns with an encoder each, through files: what a row lacks of one group is told from the other. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { PresetName } from '../../src/config/index.ts';
import { load, reconstruct } from '../../src/tasks/index.ts';
import { put, temporaryFolder } from '../data/files.ts';
import { trained } from './data.ts';

const folder = temporaryFolder();

/** One number tells all columns; rows that lack the right ones have them in a second file. */
function table(rows: number, hidden: boolean): string {
  const noise = (i: number, k: number) => ((i * k) % 997) / 4985;
  const lines = Array.from({ length: rows }, (_, i) => {
    const s = ((i * 617) % 1009) / 500 - 1;
    const left = `${(s + noise(i, 331)).toFixed(3)},${s + noise(i, 127) > 0.3 ? 'up' : 'down'}`;
    return hidden ? `${left},,` : `${left},${(-3 * s + noise(i, 71)).toFixed(3)},${s < 0 ? 'cold' : 'warm'}`;
  });
  return `a,b,c,d\n${lines.join('\n')}\n`;
}
const data = put(folder, 'all.csv', table(500, false));
const lacking = put(folder, 'left.csv', table(200, true));
const truth = put(folder, 'truth.csv', table(200, false));

for (const preset of ['mvae', 'mmvae', 'mopoeVae'] as const satisfies PresetName[]) {
  test(`${preset}: the right columns are told from the left, better than by any constant`, async () => {
    const out = join(folder, `${preset}.model`);
    const objective = preset === 'mmvae' ? { objective: { samples: 3 } } : {};
    const modality = ['left=a,b', 'right=c,d'];
    const speed = { epochs: 40, batchSize: 25, learningRate: 5e-3 };
    const { events } = await trained({ data, out, preset, modality, ...objective, ...speed, latent: 2 });
    const plan = events.find((event) => event.type === 'plan')!;
    assert.ok(
      plan.choices.includes('modalities: left (a, b); right (c, d)  (as asked)'),
      plan.choices.join('\n'),
    );
    assert.ok(
      plan.fields.every((line) => line.endsWith('may be missing')),
      plan.fields.join('\n'),
    );
    const model = await load(out, { threads: 1 });
    const { reconstruction } = await reconstruct(model, lacking);
    const known = (await reconstruct(model, truth)).original.columns;
    const pairs = (j: number) =>
      Array.from(known[j]!, (v, i) => [v, reconstruction.columns[j]![i]!] as const);
    const error = pairs(2).reduce((sum, [v, told]) => sum + Math.abs(v - told), 0) / 200;
    const right = pairs(3).filter(([v, told]) => v === told).length;
    assert.ok(error < 0.5, `mean error ${error}; by the middle value it is 1.5`);
    assert.ok(right > 0.85 * 200, `${right} of 200`);
    const { config } = JSON.parse(readFileSync(join(out, 'model.json'), 'utf8'));
    assert.deepEqual(config.modality, modality);
    const further = await trained({
      data,
      out: join(folder, `${preset}-on.model`),
      from: out,
      latent: undefined,
    });
    const start = further.events.find((event) => event.type === 'plan')!.choices.at(-1)!;
    assert.match(start, /^start: (\d+) of \1 tensors/);
    await model.dispose();
  });
}

test('groups that cannot be are refused, and columns that none names are one more', async () => {
  const train = (more: object) => trained({ data, out: join(folder, 'no.model'), epochs: 1, ...more });
  const named = (...modality: string[]) => train({ modality });
  await assert.rejects(
    named('left=a,hue'),
    /no field that is modelled is called "hue"; there are "a", "b", "c", "d"/,
  );
  await assert.rejects(named('left=a,b', 'right=b,c'), /"b" is in two groups/);
  await assert.rejects(named('a,b'), /--modality a: expected name=value, as in --modality left=a,b,right=c/);
  await assert.rejects(named('left=a', 'left=b'), /--modality left: is given twice/);
  await assert.rejects(named('others=a'), /is the name of the group of all columns that are in no other/);
  await assert.rejects(
    train({ modality: ['left=a'], posterior: { kind: 'gaussian' } }),
    /posterior "gaussian" has one encoder, and --modality gives each group its own/,
  );
  await assert.rejects(
    train({ modality: ['left=a'], objective: { kind: 'waeMmd' }, posterior: { kind: 'poe' } }),
    /this objective sees each example once/,
  );
  await assert.rejects(
    train({ predict: 'd', posterior: { kind: 'moe' } }),
    /a label is inferred by one encoder/,
  );
  const { events } = await named('left=a,b');
  const plan = events.find((event) => event.type === 'plan')!;
  for (const line of [/^posterior: poe/, /^warmup: linear/, /^modalities: left \(a, b\); others \(c, d\)/])
    assert.ok(
      plan.choices.some((choice) => line.test(choice)),
      plan.choices.join('\n'),
    );
});

test('so many subsets of columns are refused', async () => {
  const wide = Array.from({ length: 30 }, (_, i) => [1, 2, 3, 4, 5, 6].map((k) => (i * k * 37) % 101).join());
  const path = put(folder, 'wide.csv', ['a,b,c,d,e,f', ...wide].join('\n'));
  await assert.rejects(
    trained({ data: path, out: join(folder, 'wide.model'), posterior: { kind: 'mopoe' } }),
    /6 modalities have 63 subsets; group fields with --modality so that there are at most 5/,
  );
});
