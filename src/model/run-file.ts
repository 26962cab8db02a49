/** What a checkpoint says, beside its tensors, of the run that it is of. */
import * as z from 'zod';
import { UserError } from '../errors.ts';
import type { Progress } from '../train/fit.ts';

const count = z.int().min(0);
const figure = z.number().nullable(); // JSON has null for what is not finite
const figures = z.record(z.string(), figure);
const means = z.looseObject({ negativeElbo: figure, logPx: figure, kl: figure });

const epoch = z.looseObject({
  epoch: count,
  step: count,
  train: means,
  validation: means,
  bound: figure.optional(),
  watched: figure,
  klPerDimension: z.array(figure),
  activeUnits: count,
  codes: z.looseObject({ entries: count, used: count, perplexity: figure }).optional(),
  accuracy: figure.optional(),
  best: z.boolean(),
  terms: figures,
  learningRate: figure,
  beta: figure,
});

const progress = z.looseObject({
  step: count,
  epoch: count,
  batch: count,
  sums: z.looseObject({ rows: count, logPx: figure, kl: figure, terms: figures }),
  history: z.array(epoch),
});

const runFile = z.looseObject({
  /** Checked, as the schema, by whoever builds the model from it. */
  config: z.record(z.string(), z.unknown()),
  schema: z.unknown(),
  identity: z.looseObject({
    rows: z.looseObject({ train: count, validation: count, test: count }),
    start: z.string(),
    options: z.record(z.string(), z.unknown()),
  }),
  from: z.string().optional(),
  progress,
});

export type RunFile = z.output<typeof runFile> & { readonly progress: Progress };

/**
 * Checks the metadata `run` of a checkpoint; it comes as it was written, to the order of its keys. `name` is what errors call
 * the checkpoint.
 */
export function parseRunFile(text: string | undefined, name: string): RunFile {
  if (text === undefined) throw damaged(name, ' it says nothing of its run');
  const json = parseJson(text, name);
  const { error } = runFile.safeParse(json);
  if (error) throw damaged(name, `\n${z.prettifyError(error)}`);
  return json as RunFile;
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw damaged(name, ' what it says of its run is not JSON');
  }
}

const damaged = (name: string, how: string): UserError =>
  new UserError(`${name} is damaged (--overwrite trains anew):${how}`);
