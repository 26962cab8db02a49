/**
 * How good is a model trained by the usual protocol? Dynamic binarisation, Adam 1e-3, batches of 128, 10 epochs on all
 * 60,000 pictures; −ELBO by one sample on the 10,000 test pictures. npm run ts -- bench/mnist.ts [mlp conv] [seeds]
 */
import { type ModelName, modelNames, openMnist } from './mnist-data.ts';
import { updateResult } from './results.ts';
import { evaluate, train } from './training.ts';

const EPOCHS = 10;
const given = process.argv.slice(2);
const asked = modelNames.filter((name) => given.includes(name));
const models = asked.length > 0 ? asked : modelNames;
const seeds = given.filter((a) => /^\d+$/.test(a)).map(Number);

const mnist = await openMnist();

async function measure(model: ModelName, seed: number) {
  const vae = mnist.vae(model);
  const started = performance.now();
  const learner = await train(mnist, { vae, seed, epochs: EPOCHS });
  const seconds = (performance.now() - started) / 1000;
  const { negativeElbo, logPx, kl, klPerDimension } = await evaluate(mnist, vae, learner, seed);
  await learner.dispose();
  const active = klPerDimension.filter((each) => each > 0.01).length;
  const numbers = `−ELBO ${negativeElbo.toFixed(2)}  −log p(x|z) ${(-logPx).toFixed(2)}  KL ${kl.toFixed(2)}`;
  console.log(`${model} seed ${seed}: ${numbers}  active ${active}  ${seconds.toFixed(0)} s`);
  return { seed, negativeElbo, logPx, kl, active, seconds };
}

for (const model of models) {
  const runs = [];
  for (const seed of seeds.length > 0 ? seeds : [1, 2, 3]) runs.push(await measure(model, seed));
  const mean = runs.reduce((a, { negativeElbo }) => a + negativeElbo, 0) / runs.length;
  console.log(`${model}: mean −ELBO ${mean.toFixed(2)} nats`);
  updateResult('mnist', { [model]: { epochs: EPOCHS, unit: 'nats', mean, runs } });
}
