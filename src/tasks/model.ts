/** A trained model in memory: what it was made from, its weights, and the sessions that run it, made when first needed. */
import { MOST_THREADS, parseConfig, type TrainConfig } from '../config/index.ts';
import {
  type Codec,
  conditionFields,
  createCodec,
  type Joint,
  parseJoint,
  parseSchema,
  type Schema,
} from '../data/index.ts';
import { UserError } from '../errors.ts';
import { type ModelFile, type ModelFolder, readModelFolder, type Tensors } from '../model/index.ts';
import type { Runtime } from '../runtime/index.ts';
import { nodeRuntime } from '../runtime/node.ts';
import { type GraphSession, openGraph, type Weights } from '../train/index.ts';
import {
  decoderGraph,
  encoderGraph,
  evaluationGraph,
  importanceGraph,
  lookUpGraph,
  meanGraph,
  type Outputs,
  priorDensityGraph,
  priorGraph,
  responseGraph,
  slopeGraph,
  symbolGraph,
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
  priorDensity: (vae: Vae) => priorDensityGraph(vae),
  symbols: (vae: Vae) => symbolGraph(vae),
  lookUp: (vae: Vae) => lookUpGraph(vae),
  response: (vae: Vae) => responseGraph(vae),
  slope: (vae: Vae) => slopeGraph(vae),
} satisfies Record<string, (vae: Vae) => Outputs>;

/** Where a model folder keeps the joint distribution of what the model is given. */
export const CONDITIONS_FILE = 'conditions.json';

/** Samples that one run of the importance graph takes for each example. */
export const IMPORTANCE_SAMPLES = 10;

export interface Model {
  readonly name: string;
  readonly config: TrainConfig;
  readonly schema: Schema;
  readonly codec: Codec;
  readonly vae: Vae;
  readonly weights: Weights;
  /** How the training rows had what the model is given; absent where it is given nothing. */
  readonly joint?: Joint;
  /** The content of model.json; absent before it is saved. */
  readonly file?: ModelFile;
  /** Its folder, absolute; absent before it is saved. */
  readonly path?: string;
  readonly runtime: Runtime;
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
  readonly joint?: Joint;
  readonly file?: ModelFile;
  readonly path?: string;
}

export function createModel(parts: ModelParts): Model {
  const codec = createCodec(parts.schema);
  const vae = vaeFor(codec, parts.config);
  const sessions = new Map<string, Promise<GraphSession>>();
  const open = (graph: keyof typeof graphs) =>
    openGraph(parts.runtime, graphs[graph](vae), { weights: parts.weights });
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
  checkThreads(threads);
  const folder = await readModelFolder(path);
  const { file, weights } = folder;
  const schema = parseSchema(file.schema);
  const model = createModel({
    name: file.name,
    config: parseConfig(file.config),
    schema,
    ...(await jointIn(folder, schema)),
    weights: Object.fromEntries(Object.entries(weights).map(([name, { data }]) => [name, data])),
    runtime: nodeRuntime(threads === undefined ? {} : { threads }),
    file,
    path: folder.path,
  });
  checkWeights(model, weights, path);
  return model;
}

function checkThreads(threads: number | undefined): void {
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= MOST_THREADS))
    throw new UserError(`threads ${threads}: expected a whole number from 1 to ${MOST_THREADS}`);
}

async function jointIn({ read }: ModelFolder, schema: Schema): Promise<Pick<ModelParts, 'joint'>> {
  if (conditionFields(schema).length === 0) return {};
  const text = new TextDecoder().decode(await read(CONDITIONS_FILE));
  return { joint: parseJoint(schema, text, CONDITIONS_FILE) };
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
