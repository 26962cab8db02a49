/** Which initial values train best? 784-400-20 as in mnist.ts, one seed each. npm run ts -- bench/initial-values.ts [seed] */
import { constantly, glorotUniform, heUniform, type Initialiser, leCunUniform } from '../src/nn/index.ts';
import type { Vae } from '../src/vae/index.ts';
import { openMnist } from './mnist-data.ts';
import { writeResult } from './results.ts';
import { evaluate, train } from './training.ts';

const EPOCHS = 10;
const seed = Number(process.argv[2] ?? 1);

/** Weights [fan in, fan out] by `weight`; biases zero unless `bias` keeps the model's own. */
const started = (vae: Vae, weight: (fanIn: number, fanOut: number) => Initialiser, bias: boolean): Vae => ({
  ...vae,
  parameters: vae.parameters.map((p) => {
    const [fanIn, fanOut] = p.shape;
    if (fanOut !== undefined) return { ...p, initialise: weight(fanIn!, fanOut) };
    return bias ? p : { ...p, initialise: constantly(0) };
  }),
});

const mnist = await openMnist();
const base = mnist.vae('mlp');
const cases: Record<string, Vae> = {
  'LeCun uniform, biases the same (default)': base,
  'LeCun uniform, biases 0': started(base, leCunUniform, false),
  'He uniform, biases 0': started(base, heUniform, false),
  'Glorot uniform, biases 0': started(base, glorotUniform, false),
};

const results: Record<string, object> = {};
for (const [name, vae] of Object.entries(cases)) {
  const learner = await train(mnist, { vae, seed, epochs: EPOCHS });
  const { negativeElbo, kl } = await evaluate(mnist, vae, learner, seed);
  await learner.dispose();
  console.log(`${name}: −ELBO ${negativeElbo.toFixed(2)}  KL ${kl.toFixed(2)}`);
  results[name] = { negativeElbo, kl };
}
writeResult('initial-values', { epochs: EPOCHS, seed, unit: 'nats', results });
