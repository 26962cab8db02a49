/** Pictures all the way: a folder of PNGs in colour, an IDX file in grey, and the plain autoencoder. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Rows } from '../../src/data/index.ts';
import { decode, encode, evaluate, load, reconstruct, sample } from '../../src/tasks/index.ts';
import { temporaryFolder } from '../data/files.ts';
import { idxFile, pictureFolder, trained } from './data.ts';

const folder = temporaryFolder();

const pixelsOf = ({ columns }: Rows): Uint8Array => {
  assert.ok(columns[0] instanceof Uint8Array);
  return columns[0];
};

test('a folder of pictures trains in colour and gives pictures back', async () => {
  const data = await pictureFolder(folder);
  const { saved, events } = await trained({ data, out: join(folder, 'colour.model'), ema: 0.9 });
  const plan = events.find((e) => e.type === 'plan')!;
  assert.ok(
    plan.choices.some((line) => line.startsWith('network: conv, channels 32')),
    plan.choices.join('\n'),
  );
  const model = await load(saved!.path, { threads: 1 });
  assert.deepEqual(model.codec.shape, [10, 12, 3]);
  assert.equal(pixelsOf(await sample(model, { count: 5 })).length, 5 * 360);
  const { original, reconstruction } = await reconstruct(model, data, { count: 7 });
  assert.deepEqual([original.count, reconstruction.count], [7, 7]);
  const codes = await encode(model, data, { count: 7 });
  assert.deepEqual(pixelsOf(await decode(model, codes.mean)), pixelsOf(reconstruction));
  const result = await evaluate(model, data, { split: 'all', samples: 10 });
  assert.equal(result.rows, 30);
  assert.ok(Number.isFinite(result.logLikelihood!.mean));
  assert.match(readFileSync(saved!.report, 'utf8'), /data:image\/png;base64/);
  await model.dispose();
});

test('an IDX file trains with binarised pixels, the same draws in each evaluation', async () => {
  const data = idxFile(folder);
  const out = join(folder, 'grey.model');
  const { saved } = await trained({ data, out, binarize: 'dynamic' });
  const model = await load(saved!.path, { threads: 1 });
  assert.deepEqual(model.codec.shape, [8, 8, 1]);
  assert.equal(model.vae.spec.parts[0]!.law.support, 'binary');
  const drawn = pixelsOf(await sample(model, { count: 3 }));
  assert.deepEqual([...new Set(drawn)].sort(), [0, 255]);
  assert.ok(new Set(pixelsOf(await sample(model, { count: 3, mean: true }))).size > 10, 'means are grey');
  const average = (pixels: Uint8Array) => pixels.reduce((a, b) => a + b, 0) / pixels.length / 255;
  const [one, expected] = [
    { count: 500, temperature: 0 },
    { count: 1, temperature: 0, mean: true },
  ];
  const share = average(pixelsOf(await sample(model, one))); // of 32,000 pixels, drawn with their own probabilities
  assert.ok(Math.abs(share - average(pixelsOf(await sample(model, expected)))) < 0.015, `${share} are white`);
  const result = await evaluate(model, data, { samples: 10 });
  assert.match(result.protocol, /pixels binarised once by the seed/);
  assert.deepEqual(await evaluate(model, data, { samples: 10 }), result);
  await model.dispose();
});

test('a plain autoencoder is saved, has no KL and no likelihood', async () => {
  const data = idxFile(folder);
  const out = join(folder, 'plain.model');
  const { saved, events } = await trained({ data, out, objective: { kind: 'autoencoder' } });
  assert.deepEqual(
    events.filter((e) => e.type === 'notice'),
    [],
  );
  const model = await load(saved!.path, { threads: 1 });
  const result = await evaluate(model, data);
  assert.equal(Math.abs(result.kl), 0);
  assert.equal(result.logLikelihood, undefined);
  const codes = await encode(model, data, { count: 4 });
  assert.deepEqual(codes.z, codes.mean);
  assert.equal(codes.logVar, undefined);
  await model.dispose();
});
