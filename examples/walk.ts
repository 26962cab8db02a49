/** Pictures: train on drawn discs, encode two of them, decode the straight line between their codes to a sheet. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contactSheet, decode, encode, formatNpy, load, train } from 'elbo-vae';
import { stream } from 'elbo-vae/random';

const SIDE = 16;
const COUNT = 256;

/** Discs of random place and size, [COUNT, SIDE, SIDE]. */
function discs(): Uint8Array {
  const places = new Float32Array(3 * COUNT);
  stream(1, 'discs').uniform(places);
  return Uint8Array.from({ length: COUNT * SIDE * SIDE }, (_, i) => {
    const [disc, y, x] = [Math.floor(i / SIDE / SIDE), Math.floor(i / SIDE) % SIDE, i % SIDE];
    const [a, b, c] = places.subarray(3 * disc, 3 * disc + 3);
    return Math.hypot(y - 4 - 8 * a!, x - 4 - 8 * b!) < 2 + 3 * c! ? 255 : 0;
  });
}

const folder = await mkdtemp(join(tmpdir(), 'elbo-walk-'));
const data = join(folder, 'discs.npy');
await writeFile(data, formatNpy({ shape: [COUNT, SIDE, SIDE], data: discs() }));

const out = join(folder, 'discs.model');
for await (const event of train({ data, out, latent: 3, epochs: 10, batchSize: 32 })) {
  if (event.type === 'epoch') console.log(event.epoch, event.validation.negativeElbo.toFixed(1));
}

const model = await load(out);
const { mean, latent } = await encode(model, data, { count: 2 });
const line = Float32Array.from({ length: 10 * latent }, (_, i) => {
  const t = Math.floor(i / latent) / 9;
  return (1 - t) * mean[i % latent]! + t * mean[latent + (i % latent)]!;
});
const rows = await decode(model, line);
const sheet = await contactSheet(
  { data: rows.columns[0] as Uint8Array, height: SIDE, width: SIDE, channels: 1 },
  { columns: 10 },
);
await writeFile(join(folder, 'walk.png'), sheet);
console.log(`wrote ${join(folder, 'walk.png')}`);
await model.dispose();
