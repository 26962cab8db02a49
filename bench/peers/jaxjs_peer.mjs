/** jax-js on its wasm backend (see protocol.py). */
import { dirname, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { BrowserWorker } from './browser_worker.mjs';
import { trainerWith } from './jaxjs_model.mjs';
import { require, serve } from './protocol.mjs';

let train;

async function open({ threads }) {
  setFlagsFromString('--experimental-wasm-relaxed-simd'); // browsers and later Nodes need no flag
  if (threads > 1) {
    globalThis.Worker = BrowserWorker;
    Object.defineProperty(globalThis, 'navigator', { value: { hardwareConcurrency: threads } });
  }
  train = trainerWith(require('@jax-js/jax'));
  const { version } = require(join(dirname(require.resolve('@jax-js/jax')), '../package.json'));
  return { 'jax-js': version };
}

serve(open, (workload, read) => train(workload, read));
