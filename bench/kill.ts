/**
 * Are the weights the same to the bit after ten kills at random moments? A table is trained once undisturbed, and again
 * under SIGKILL and --resume: npm run ts -- bench/kill.ts [kills] [table.csv]
 */
import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { compile, newFolder } from '../test/cli/elbo.ts';
import { tableFile } from '../test/tasks/data.ts';
import { type Command, kept, killedAndResumed, trainUntil } from '../test/tasks/killing.ts';

const [kills = '10', table] = process.argv.slice(2);
const [folder, program] = [newFolder(), newFolder()];
try {
  const options = '--epochs 80 --patience 80 --batch-size 32 --limit 2000 --checkpoint-seconds 0.2'.split(
    ' ',
  );
  const data = table === undefined ? tableFile(folder, 2000) : resolve(table);
  const command: Command = { main: await compile(program), folder, words: [data, ...options] };
  await trainUntil(command, 'whole.model', Number.POSITIVE_INFINITY);
  const struck = await killedAndResumed(command, 'killed.model', Number(kills), 5, Math.random);
  const [whole, killed] = [kept(folder, 'whole.model'), kept(folder, 'killed.model')];
  const same = isDeepStrictEqual(whole, killed);
  console.log(`${struck.length} kills, so many epochs after each start: ${struck.join(', ')}`);
  console.log(
    `${Object.keys(whole.tensors).length} tensors of weights and checkpoint, ${whole.history.split('\n').length - 1} epochs`,
  );
  console.log(same ? 'all are identical to the bit' : 'THEY DIFFER');
  process.exitCode = same ? 0 : 1;
} finally {
  for (const path of [folder, program]) await rm(path, { recursive: true, force: true });
}
