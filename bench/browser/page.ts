/** What pages and the server of their files agree on. */
import type { Read } from '../peers/steps.mjs';

export const DATA_PATH = '/data/';
/** The wasm files of TensorFlow.js. */
export const TFJS_PATH = '/tfjs/';

/** Reads the workload's files from the server: it serves one folder. */
export const readerOf = (): Read => async (key) => {
  const response = await fetch(DATA_PATH + key);
  if (!response.ok) throw new Error(`${key}: ${response.status} ${response.statusText}`);
  return response.arrayBuffer();
};
