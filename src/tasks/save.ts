/** The last step of training: the model folder, complete, with its metrics and report. */
import { basename } from 'node:path';
import type { TrainConfig } from '../config/index.ts';
import { conditionFields, type Dataset, formatJoint, jointOf } from '../data/index.ts';
import { toOnnx } from '../graph/index.ts';
import {
  MODEL_VERSION,
  type ModelFile,
  packageVersion,
  sha256,
  type Workspace,
  writeSafetensors,
} from '../model/index.ts';
import { stream } from '../random/index.ts';
import { report } from '../report/index.ts';
import { nodeRuntime } from '../runtime/node.ts';
import type { Fitted } from '../train/index.ts';
import { decoderGraph, encoderGraph, klOf } from '../vae/index.ts';
import { evaluateData } from './evaluate.ts';
import { CONDITIONS_FILE, createModel, type Model, type ModelParts } from './model.ts';
import { reportData } from './report-data.ts';
import { startOf } from './resume.ts';
import type { SavedEvent } from './train.ts';

export type Metrics = ModelFile['metrics'];

export interface SaveOptions {
  readonly workspace: Workspace;
  /** Of the model, as asked for. */
  readonly out: string;
  readonly data: Dataset;
  readonly config: TrainConfig;
  readonly fitted: Fitted;
  readonly seconds: number;
  readonly threads: number | undefined;
  /** The plan, in words. */
  readonly choices: readonly string[];
  /** See `ModelFile`. */
  readonly from: string | undefined;
}

export async function save({
  workspace,
  out,
  data,
  config,
  fitted,
  seconds,
  threads,
  choices,
  from,
}: SaveOptions): Promise<SavedEvent> {
  const runtime = nodeRuntime(threads === undefined ? {} : { threads });
  const model = createModel({
    name: modelName(out),
    config,
    schema: data.schema,
    ...(await jointFrom(data, config.seed)),
    weights: fitted.weights,
    runtime,
  });
  try {
    const metrics = await measure(model, data, fitted);
    const content = modelFiles(model);
    const facts = {
      metrics,
      seconds,
      rows: data.counts,
      start: await startOf(data, model.codec),
      fitted,
      from,
    };
    const file = describe(model, content, facts);
    const page = report(await reportData(model, data, { file, history: fitted.history, choices }));
    const path = await workspace.publish({
      ...content,
      'model.json': `${JSON.stringify(file, null, 2)}\n`,
      'report.html': page,
    });
    const refit = model.vae.codes !== undefined && !model.vae.spec.posterior.random;
    return { type: 'saved', path, report: `${path}/report.html`, metrics, refit };
  } finally {
    await model.dispose();
  }
}

async function jointFrom(data: Dataset, seed: number): Promise<Pick<ModelParts, 'joint'>> {
  if (conditionFields(data.schema).length === 0) return {};
  const rows = data.batches({ split: 'train', batchSize: READ });
  return { joint: await jointOf(data.schema, rows, stream(seed, 'conditions')) };
}

const READ = 1024;

/** `models/mnist.model` is called mnist. */
const modelName = (out: string): string => basename(out).replace(/\.model$/, '');

/** Figures as training saw them, of validation rows where there are any; test figures where there are test rows. */
async function measure(model: Model, data: Dataset, { history }: Fitted): Promise<Metrics> {
  const best = history.findLast((record) => record.best)!;
  const [watched, rows] =
    data.counts.validation > 0 ? ['validation', data.counts.validation] : ['training', data.counts.train];
  const metrics: Record<string, Metrics[string]> = {
    [`${watched} −ELBO`]: {
      value: best.validation.negativeElbo,
      protocol: `mean over ${rows} ${watched} rows after epoch ${best.epoch}, nats an example`,
    },
  };
  if (data.counts.test === 0) return metrics;
  const {
    negativeElbo,
    logPx,
    kl,
    activeUnits,
    codes,
    protocol,
    figures: found,
  } = await evaluateData(model, data, {
    split: 'test',
    samples: 0,
  });
  const figures = {
    'test −ELBO': negativeElbo,
    'test reconstruction': -logPx,
    'test KL': kl,
    ...(codes && { 'codes in use': codes.used, 'code perplexity': codes.perplexity }),
    ...(!codes && klOf(model.vae) === 'dimension' && { 'active units': activeUnits }),
    ...(found.accuracy && { 'labels told rightly': found.accuracy.value }),
  };
  for (const [name, value] of Object.entries(figures)) metrics[name] = { value, protocol };
  return metrics;
}

function modelFiles({ vae, weights, schema, joint }: Model): Record<string, Uint8Array | string> {
  const [encoder, decoder] = [encoderGraph(vae), decoderGraph(vae)];
  const tensors = vae.parameters.map((p) => [p.name, { shape: p.shape, data: weights[p.name]! }]);
  const given = joint ? ', condition' : '';
  return {
    'weights.safetensors': writeSafetensors(Object.fromEntries(tensors)),
    'encoder.onnx': toOnnx(encoder, {
      weights,
      description: `x${given} (and noise) → ${Object.keys(encoder).join(', ')}`,
    }),
    'decoder.onnx': toOnnx(decoder, {
      weights,
      description: `z${given} → the parameters of p(x|z): ${Object.keys(decoder).join(', ')}`,
    }),
    ...(joint && { [CONDITIONS_FILE]: formatJoint(schema, joint) }),
  };
}

interface Facts {
  readonly metrics: Metrics;
  readonly seconds: number;
  readonly rows: Dataset['counts'];
  readonly start: string;
  readonly fitted: Fitted;
  readonly from: string | undefined;
}

function describe(
  model: Model,
  content: Record<string, Uint8Array | string>,
  { metrics, seconds, rows, start, fitted, from }: Facts,
): ModelFile {
  const { history, reason, steps, weights } = fitted;
  return {
    format: 'elbo-model',
    version: MODEL_VERSION,
    elbo: packageVersion(),
    created: new Date().toISOString(),
    name: model.name,
    config: { ...model.config },
    schema: model.schema,
    training: {
      epochs: history.length,
      bestEpoch: history.findLast((r) => r.best)!.epoch,
      steps,
      seconds,
      reason,
      rows: { ...rows },
      start,
      ...(from !== undefined && { from }),
    },
    metrics,
    seed: model.config.seed,
    parameters: Object.values(weights).reduce((n, w) => n + w.length, 0),
    files: Object.fromEntries(Object.entries(content).map(([name, bytes]) => [name, sha256(bytes)])),
  };
}
