/** A table with gaps: train on it, draw synthetic rows, write them with the original columns. */
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load, sample, train, writeRows } from 'elbo-vae';

const folder = await mkdtemp(join(tmpdir(), 'elbo-table-'));
const data = join(folder, 'people.csv');
const rows = Array.from({ length: 600 }, (_, i) => {
  const height = 150 + ((i * 37) % 50);
  const weight = i % 11 === 0 ? '?' : (height - 100 + ((i * 13) % 17) - 8).toFixed(1);
  return `${height},${weight},${height > 175 ? 'tall' : 'small'}`;
});
await writeFile(data, ['height,weight,size', ...rows, ''].join('\n'));

const out = join(folder, 'people.model');
for await (const event of train({ data, out, epochs: 20, seed: 1 })) {
  if (event.type === 'plan') console.log(event.fields.join('\n'));
  if (event.type === 'end') console.log(`best epoch ${event.bestEpoch} of ${event.epochs}`);
}

const model = await load(out);
await writeRows(await sample(model, { count: 5, seed: 2 }), model.schema, join(folder, 'synthetic.csv'));
console.log(await readFile(join(folder, 'synthetic.csv'), 'utf8'));
await model.dispose();
