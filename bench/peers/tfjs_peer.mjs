/** TensorFlow.js on its wasm backend, which in Node has SIMD but no threads (see protocol.py). */
import { require, serve } from './protocol.mjs';
import { trainerWith } from './tfjs_model.mjs';

const tf = require('@tensorflow/tfjs');
require('@tensorflow/tfjs-backend-wasm');

async function open() {
  tf.enableProdMode();
  await tf.setBackend('wasm');
  return { tfjs: tf.version.tfjs };
}

serve(open, trainerWith(tf));
