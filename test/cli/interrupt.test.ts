/** Ctrl-C: the run is kept, how to go on is said, and going on works. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { compile, elbo, newFolder, writeTable } from './elbo.ts';

const [folder, program] = [newFolder(), newFolder()];
after(async () => {
  for (const path of [folder, program]) await rm(path, { recursive: true, force: true });
});

test('Ctrl-C keeps the run, says how to go on, and exits with 130', async () => {
  const main = await compile(program);
  writeTable(join(folder, 'table.csv'), 2000);
  const words = [
    'train',
    'table.csv',
    '--hidden',
    '8',
    '--latent',
    '2',
    '--batch-size',
    '4',
    '--threads',
    '1',
  ];
  const child = spawn(process.execPath, [main, ...words, '--epochs', '100000'], { cwd: folder });
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (!/\n +1\/100000/.test(err) && /\n +1\/100000/.test(err + text)) child.kill('SIGINT');
    err += text;
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  assert.equal(code, 130, err);
  assert.match(err, /Stopping after this step, with a checkpoint\. Ctrl-C again stops at once\./);
  assert.match(err, /Go on with:\n {2}elbo train table\.csv .* --epochs 100000 --resume\n/);
  assert.match(
    err,
    /end it here and have the model:\n {2}elbo train table\.csv .* --threads 1 --epochs \d+ --resume\n/,
  );
  assert.ok(!existsSync(join(folder, 'table.model')));
  const refused = await elbo(main, words, folder);
  assert.equal(refused.code, 2);
  assert.match(refused.err, /unfinished run at step \d+: --resume continues it/);
  const resumed = await elbo(main, [...words, '--epochs', '2', '--resume'], folder);
  assert.equal(resumed.code, 0, resumed.err);
  assert.match(resumed.err, /from step \d/);
  assert.ok(existsSync(join(folder, 'table.model', 'report.html')));
  assert.ok(!existsSync(join(folder, 'table.model.training')));
});
