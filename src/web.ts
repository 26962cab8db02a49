/** What runs in a web page: graphs, models and training on onnxruntime-web. Data comes as `BatchSource`s of the page's own. */
export { toOnnx } from './graph/index.ts';
export { convNetwork, mlp } from './nn/index.ts';
export { adam, adamW, schedules, sgd, warmups } from './optim/index.ts';
export { stream } from './random/index.ts';
export { type WebOptions, webRuntime } from './runtime/web.ts';
export {
  type BatchSource,
  type Checkpoint,
  type FitEvent,
  type FitOptions,
  type Fitted,
  fit,
  type Minibatch,
} from './train/index.ts';
export * from './vae/index.ts';
