/** Every preset, from a file to a saved model that gives samples. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Preset, presets } from '../../src/config/index.ts';
import { stream, variates } from '../../src/random/index.ts';
import { load, sample, type TrainOptions } from '../../src/tasks/index.ts';
import { temporaryFolder } from '../data/files.ts';
import { idxFile, trained } from './data.ts';

const folder = temporaryFolder();
const { poisson, normal } = variates(stream(9, 'presets'));
const table = join(folder, 'rows.csv');
const rows = Array.from({ length: 80 }, () => {
  const visits = poisson(5);
  return [visits, (2 * visits + normal()).toFixed(2), visits > 5 ? 'often' : 'seldom'].join(',');
});
writeFileSync(table, ['visits,spent,kind', ...rows, ''].join('\n'));
const digits = idxFile(folder);

for (const [name, preset] of Object.entries(presets) as [TrainOptions['preset'] & string, Preset][]) {
  test(`${name} trains, is saved and gives samples`, async () => {
    const out = join(folder, `${name}.model`);
    const { events, saved } = await trained({
      data: preset.only === 'pictures' ? digits : table,
      ...(preset.choices.prior?.kind === 'conditional' && { condition: ['kind'] }),
      preset: name,
      ...(preset.only === 'label' && { predict: 'kind' }),
      latent: undefined,
      epochs: 1,
      out,
    });
    const steps = events.flatMap((event) => (event.type === 'step' ? [event] : []));
    assert.ok(steps.length > 0 && saved);
    for (const { step, loss, logPx, kl, terms } of steps)
      for (const [term, value] of Object.entries({ loss, logPx, kl, ...terms }))
        assert.ok(Number.isFinite(value), `step ${step}: ${term} is ${value}`);
    const model = await load(saved.path, { threads: 1 });
    const { columns, count } = await sample(model, { count: 5 });
    assert.equal(count, 5);
    for (const column of columns) assert.ok(Array.from(column).every(Number.isFinite));
    await model.dispose();
  });
}

test('a preset for pictures is refused for rows, and what is given beside a preset wins', async () => {
  await assert.rejects(
    trained({ data: table, preset: 'vaeGan', out: join(folder, 'no.model') }),
    /preset "vaeGan" is for pictures, and these data are rows/,
  );
  const { events } = await trained({
    data: table,
    preset: 'iwae',
    objective: { samples: 3 },
    epochs: 1,
    out: join(folder, 'few.model'),
  });
  const plan = events.find((event) => event.type === 'plan')!;
  assert.ok(
    plan.choices.some((line) => line.startsWith('objective: iwae, samples 3')),
    plan.choices.join('\n'),
  );
});
