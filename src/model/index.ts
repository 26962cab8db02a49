/** What is on disk: model folders, the runs that make them, and their files. */
export { writeAtomic } from './files.ts';
export {
  hashOfWeights,
  MODEL_VERSION,
  type ModelFile,
  type ModelFolder,
  parseModelFile,
  readModelFolder,
  sha256,
} from './model-file.ts';
export { parseRunFile } from './run-file.ts';
export {
  readSafetensors,
  type SafeTensor,
  type Safetensors,
  type Tensors,
  writeSafetensors,
} from './safetensors.ts';
export {
  listSamplers,
  readSampler,
  type SamplerFile,
  type SavedSampler,
  writeSampler,
} from './sampler-file.ts';
export { packageVersion } from './version.ts';
export { type OpenOptions, openWorkspace, type Workspace } from './workspace.ts';
