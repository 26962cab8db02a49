/** A trained model in memory: what it was made from, its weights, and the sessions that run it, made when first needed. */
import { parseConfig, type TrainConfig } from '../config/index.ts';
import { type Codec, createCodec, parseSchema, type Schema } from '../data/index.ts';
import { UserError } from '../errors.ts';
import { type ModelFile, readModelFolder, type Tensors } from '../model/index.ts';
import type { Runtime } from '../runtime/index.ts';
import { nodeRuntime } from '../runtime/node.ts';
import { type GraphSession, openGraph, type Weights } from '../train/index.ts';
import {
  decoderGraph,
  encoderGraph,
  evaluationGraph,
  importanceGraph,
  meanGraph,
  type Outputs,
  priorGraph,
  type Vae,
} from '../vae/index.ts';
import { vaeFor } from './spec.ts';

/** The graphs that tasks run. */
const graphs = {
  encoder: (vae: Vae) => encoderGraph(vae),
  prior: (vae: Vae) => priorGraph(vae),
  decoder: (vae: Vae) => decoderGraph(vae),
  mean: (vae: Vae) => meanGraph(vae),
  evaluation: (vae: Vae) => evaluationGraph(vae),
  importance: (vae: Vae) => importanceGraph(vae, IMPORTANCE_SAMPLES),
} satisfies Record<string, (vae: Vae) => Outputs>;

/** Samples that one run of the importance graph takes for each example. */
export const IMPORTANCE_SAMPLES = 10;

export interface Model {
  readonly name: string;
  readonly config: TrainConfig;
  readonly schema: Schema;
  readonly codec: Codec;
  readonly vae: Vae;
  readonly weights: Weights;
  /** The content of model.json; absent before it is saved. */
  readonly file?: ModelFile;
  readonly session: (graph: keyof typeof graphs) => Promise<GraphSession>;
  /** Frees the sessions. */
  readonly dispose: () => Promise<void>;
}

export interface ModelParts {
  readonly name: string;
  readonly config: TrainConfig;
  readonly schema: Schema;
  readonly weights: Weights;
  readonly runtime: Runtime;
  readonly file?: ModelFile;
}

export function createModel({ runtime, ...parts }: ModelParts): Model {
  const codec = createCodec(parts.schema);
  const vae = vaeFor(codec, parts.config);
  const sessions = new Map<string, Promise<GraphSession>>();
  const open = (graph: keyof typeof graphs) =>
    openGraph(runtime, graphs[graph](vae), { weights: parts.weights });
  return {
    ...parts,
    codec,
    vae,
    session: (graph) => {
      const session = sessions.get(graph) ?? open(graph);
      sessions.set(graph, session);
      return session;
    },
    dispose: async () => {
      for (const session of sessions.values()) await (await session).dispose();
      sessions.clear();
    },
  };
}

export interface LoadOptions {
  readonly threads?: number;
}

/** Opens a model folder; everything in it is checked first. */
export async function load(path: string, { threads }: LoadOptions = {}): Promise<Model> {
  const { file, weights } = await readModelFolder(path);
  const model = createModel({
    name: file.name,
    config: parseConfig(file.config),
    schema: parseSchema(file.schema),
    weights: Object.fromEntries(Object.entries(weights).map(([name, { data }]) => [name, data])),
    runtime: nodeRuntime(threads === undefined ? {} : { threads }),
    file,
  });
  checkWeights(model, weights, path);
  return model;
}

function checkWeights({ vae }: Model, weights: Tensors, path: string): void {
  for (const { name, shape } of vae.parameters) {
    const found = Object.hasOwn(weights, name) ? `[${weights[name]!.shape}]` : 'nothing';
    if (found !== `[${shape}]`) {
      throw new UserError(
        `${path}: weights.safetensors has ${found} for "${name}", the model needs [${shape}]`,
      );
    }
  }
}
