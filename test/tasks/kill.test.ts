import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, test } from 'node:test';
import { random } from '../check.ts';
import { compile, newFolder } from '../cli/elbo.ts';
import { tableFile } from './data.ts';
import { type Command, kept, killedAndResumed, trainUntil } from './killing.ts';

const [folder, program] = [newFolder(), newFolder()];
after(async () => {
  for (const path of [folder, program]) await rm(path, { recursive: true, force: true });
});

test('killed three times and resumed, training ends bit for bit where it would have', async () => {
  const words =
    '--epochs 40 --batch-size 16 --hidden 16 --latent 2 --threads 1 --ema 0.99 --checkpoint-seconds 0.05';
  const command: Command = {
    main: await compile(program),
    folder,
    words: [tableFile(folder), ...words.split(' ')],
  };
  assert.equal(await trainUntil(command, 'whole.model', Number.POSITIVE_INFINITY), false);
  const struck = await killedAndResumed(command, 'killed.model', 3, 7, random(Date.now()));
  assert.ok(struck.length >= 2, `only ${struck.length} kills came before the end`);
  assert.deepEqual(kept(folder, 'killed.model'), kept(folder, 'whole.model'));
});
