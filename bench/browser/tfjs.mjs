/** TensorFlow.js in a page, on its wasm backend with SIMD and threads. */
import * as tf from '@tensorflow/tfjs';
import { getThreadsCount, setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { answering } from '../peers/steps.mjs';
import { trainerWith } from '../peers/tfjs_model.mjs';
import { readerOf, TFJS_PATH } from './page.ts';

async function open({ threads }) {
  // whatever it is asked for, it takes no more than half the cores
  Object.defineProperty(navigator, 'hardwareConcurrency', { value: 2 * threads });
  tf.enableProdMode();
  setWasmPaths(TFJS_PATH);
  setThreadsCount(threads);
  await tf.setBackend('wasm');
  if (getThreadsCount() !== threads)
    throw new Error(`asked for ${threads} threads, took ${getThreadsCount()}`);
  return {};
}

export default answering(open, trainerWith(tf), readerOf);
