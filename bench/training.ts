/** Training runs for the benchmarks: the product's step in a plain loop, judged by the true −ELBO of the test pictures. */
import { adam } from '../src/optim/index.ts';
import { nodeRuntime } from '../src/runtime/node.ts';
import {
  createLearner,
  type ElboResult,
  evaluateElbo,
  type Learner,
  openGraph,
  weightValues,
} from '../src/train/index.ts';
import { evaluationGraph, make, type Objective, objectives, type Vae } from '../src/vae/index.ts';
import { BATCH, type Mnist } from './mnist-data.ts';

/** THREADS=1 leaves the other cores to others; results do not depend on it. */
const threads = process.env['THREADS'] ? { threads: Number(process.env['THREADS']) } : {};

export interface Run {
  /** What is trained. */
  readonly vae: Vae;
  readonly objective?: Objective;
  readonly seed: number;
  readonly epochs: number;
  /** Parameters to start from instead of initial values. */
  readonly from?: Learner;
}

/** Adam at 1e-3 on all training pictures in batches of 128. The caller disposes of the learner. */
export async function train(mnist: Mnist, run: Run): Promise<Learner> {
  const { vae, objective = make(objectives.elbo), seed, epochs, from } = run;
  const learner = await createLearner({
    vae,
    objective,
    optimizer: adam(),
    runtime: nodeRuntime(threads),
    batchSize: BATCH,
    seed,
  });
  if (from) for (const [name, view] of Object.entries(learner.weights())) view.set(from.weights()[name]!);
  const source = mnist.train(seed);
  const steps = epochs * Math.ceil(source.rows / BATCH);
  let step = 0;
  for (let epoch = 0; epoch < epochs; epoch++)
    for await (const batch of source.batches(epoch, 0))
      await learner.step(++step, batch, { beta: objective.beta, progress: step / steps, learningRate: 1e-3 });
  return learner;
}

/** −ELBO of the test pictures by `vae` with one sample each, under the weights that training gave. */
export async function evaluate(mnist: Mnist, vae: Vae, learner: Learner, seed: number): Promise<ElboResult> {
  const session = await openGraph(nodeRuntime(threads), evaluationGraph(vae));
  try {
    const weights = weightValues(vae, learner.weights());
    return await evaluateElbo(session, vae, weights, mnist.test, { batchSize: BATCH, seed });
  } finally {
    await session.dispose();
  }
}
