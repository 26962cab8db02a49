/** Publishes models 1, 2, 3, … into the folder named on the command line until it is killed. */
import { openWorkspace } from '../../src/model/workspace.ts';
import { checkpoint, modelFiles } from './folder.ts';

const [out = '', from = '1'] = process.argv.slice(2);
for (let i = Number(from); ; i++) {
  const workspace = await openWorkspace(out, { overwrite: true });
  await workspace.saveCheckpoint(checkpoint(i));
  await workspace.appendHistory({ epoch: i });
  await workspace.publish(modelFiles(i));
  await workspace.close();
  process.stdout.write(`${i}\n`);
}
