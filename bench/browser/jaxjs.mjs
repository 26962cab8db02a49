/** jax-js in a page, on its wasm backend, which takes a worker for each core. */
import { trainerWith } from '../peers/jaxjs_model.mjs';
import { answering } from '../peers/steps.mjs';
import { readerOf } from './page.ts';

let train;

async function open({ threads }) {
  Object.defineProperty(navigator, 'hardwareConcurrency', { value: threads });
  if (threads === 1) delete globalThis.Worker; // a page without one runs kernels itself
  train = trainerWith(await import('@jax-js/jax'));
  return {};
}

export default answering(open, (workload, read) => train(workload, read), readerOf);
