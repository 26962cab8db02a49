/** Pictures whose factors are known: does a dimension of the code stand for one of them? */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { evaluate, load, train } from 'elbo-vae';

// Toy size, to run in seconds: for figures that mean something take all sprites, `hidden: [400, 400]` and `epochs: 30`,
// and begin with ten times the β (docs/models/betaTcvae.md).
const out = join(await mkdtemp(join(tmpdir(), 'elbo-sprites-')), 'sprites.model');
const objective = { kind: 'elbo', beta: 4 } as const;
const network = { kind: 'mlp' as const, hidden: [64] };
for await (const event of train({
  data: 'sprites',
  out,
  limit: 2000,
  size: [16],
  latent: 6,
  epochs: 8,
  objective,
  network,
}))
  if (event.type === 'epoch') console.log(event.epoch, event.validation.negativeElbo.toFixed(1));

const model = await load(out);
const { figures, protocols } = await evaluate(model, 'sprites', {
  split: 'all',
  rows: 200,
  samples: 0,
  quality: 0,
});
console.log(protocols.disentanglement);
for (const { group, name, value, low, high } of Object.values(figures))
  if (group === 'disentanglement')
    console.log(`${name.padEnd(18)} ${value.toFixed(2)}   ${low!.toFixed(2)} to ${high!.toFixed(2)}`);
await model.dispose();
