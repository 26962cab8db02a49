/** What the model makes of the rows that others are judged by: their codes, and the terms of their ELBO. */
import { concatRows, conditionFields, type ModelField, modelFields, type Rows } from '../../data/index.ts';
import { type Points, pointsOf, type Spread, spread } from '../../metrics/index.ts';
import type { Value } from '../../runtime/index.ts';
import { evaluateElbo } from '../../train/index.ts';
import { hasLevels, isPoint, observation, type Vae } from '../../vae/index.ts';
import { encodeBatch } from '../encode.ts';
import type { Subject, Tell } from '../evaluate/subject.ts';
import type { Model } from '../model.ts';
import { fixedSource } from '../source.ts';
import { dimensionName, realDimensions } from './walk.ts';

const READ = 200;

/** The terms of the ELBO of each row, nats; NaN where a row has no value in a field. */
export interface Parts {
  readonly elbo: Float64Array;
  readonly fields: Readonly<Record<string, Float64Array>>;
  /** By what they are of: dimensions, codes, levels, the whole of z. */
  readonly kl: Readonly<Record<string, Float64Array>>;
}

export interface Seen extends Subject {
  readonly parts: Parts;
  /** What each row is encoded as, [count, Z]. */
  readonly codes: Points;
  /** Of the aggregated posterior. */
  readonly spread: Spread;
  /** What each row is given, where the model is. */
  readonly given: Rows | undefined;
}

export async function seenBy(model: Model, subject: Subject, seed: number, tell: Tell): Promise<Seen> {
  const parts = await partsOf(model, subject, seed, tell);
  const { latent } = model.vae.spec;
  const array = () => new Float32Array(subject.count * latent);
  const [mean, z, logVar] = [array(), array(), array()];
  const given: Rows[] = [];
  let [at, isGaussian] = [0, !hasLevels(model.vae.spec.network)]; // a level's means move with the draws of others
  for await (const batch of subject.data.batches({ split: 'test', batchSize: READ })) {
    const q = await encodeBatch(model, batch, seed);
    mean.set(q.mean, at * latent);
    z.set(q.z, at * latent);
    if (q.logVar) logVar.set(q.logVar, at * latent);
    else isGaussian = false;
    if (q.conditions) given.push(q.conditions);
    at += batch.index.length;
    tell({ stage: 'codes', done: at, total: subject.count });
  }
  return {
    ...subject,
    parts,
    codes: pointsOf(mean, latent),
    spread: isGaussian ? spread(pointsOf(mean, latent), logVar) : spread(pointsOf(z, latent)),
    given: given.length > 0 ? concatRows(conditionFields(model.schema), given) : undefined,
  };
}

/** One draw of z for each row, as `evaluate` has it. */
async function partsOf(model: Model, subject: Subject, seed: number, tell: Tell): Promise<Parts> {
  const { vae, codec } = model;
  const found: TermRows[] = [];
  let done = 0;
  const each = (results: Readonly<Record<string, Value>>, count: number) => {
    found.push(termRows(vae, results, count));
    tell({ stage: 'ELBO', done: (done += count), total: subject.count });
  };
  const source = fixedSource(subject.data, codec, READ, seed, 'test');
  await evaluateElbo(await model.session('evaluation'), vae, {}, source, { batchSize: READ, seed, each });
  const joined = (of: (rows: TermRows) => Readonly<Record<string, Float64Array>>) =>
    Object.fromEntries(
      Object.keys(of(found[0]!)).map((name) => [name, concatenated(found.map((rows) => of(rows)[name]!))]),
    );
  const fields = Object.entries(joined(({ fields }) => fields)).map(([name, logPx]) => {
    const there = isThere(model, subject, name);
    return [name, logPx.map((v, i) => (there(i) ? v : Number.NaN))] as const;
  });
  return {
    elbo: concatenated(found.map(({ elbo }) => elbo)),
    fields: Object.fromEntries(fields),
    kl: joined(({ kl }) => kl),
  };
}

/** Whether row i has a value of the field. */
function isThere({ schema }: Model, { rows }: Subject, name: string): (i: number) => boolean {
  const fields = modelFields(schema);
  const j = fields.findIndex((field) => field.name === name);
  return (i) => hasValue(fields[j]!, rows.columns[j]![i]!);
}

export const hasValue = ({ type }: ModelField, value: number): boolean =>
  type === 'image' || (type === 'category' || type === 'boolean' ? value >= 0 : !Number.isNaN(value));

/** The terms of the ELBO of `count` runs, from the evaluation graph. */
export type TermRows = Parts & { readonly logPx: Float64Array };

export function termRows(vae: Vae, results: Readonly<Record<string, Value>>, count: number): TermRows {
  const column = (value: Value, j = 0) => {
    const width = (value.data as Float32Array).length / count;
    return Float64Array.from({ length: count }, (_, i) => (value.data as Float32Array)[i * width + j]!);
  };
  const names = isPoint(vae.spec.posterior) ? [] : termNames(vae);
  const kl = Object.fromEntries([
    ...names.map((name, j) => [name, column(results['kl']!, j)] as const),
    ...(results['klLabel'] ? [['label', column(results['klLabel'])] as const] : []),
  ]);
  const logPx = column(results['logPx']!);
  const fields = Object.entries(results)
    .filter(([name]) => name.startsWith(FIELD))
    .map(([name, value]) => [name.slice(FIELD.length), column(value)] as const);
  const elbo = Object.values(kl).reduce((sum, own) => sum.map((v, i) => v - own[i]!), logPx);
  return { elbo, logPx, kl, fields: Object.fromEntries(fields) };
}

const FIELD = 'logPx ';

/** What each entry of the KL is of. */
function termNames(vae: Vae): string[] {
  const { latent, posterior } = vae.spec;
  const levels = vae
    .infer(observation(vae.spec), { samples: 1, progress: 1 })
    .levels.map(({ kl }) => Number(kl.shape.at(-1)));
  const count = levels.reduce((a, b) => a + b, 0);
  const numbered = (n: number, name: (j: number) => string) => Array.from({ length: n }, (_, j) => name(j));
  if (posterior.space === 'codes' && count > 1) return numbered(count, (j) => `code ${j + 1}`);
  if (count === latent) return numbered(count, dimensionName);
  if (levels.length > 1)
    return levels.flatMap((n, l) =>
      numbered(n, (j) => (n === 1 ? `level ${l + 1}` : `level ${l + 1}, channel ${j + 1}`)),
    );
  if (count === 1) return ['z'];
  const real = realDimensions(vae.spec);
  return numbered(count, (j) => (j < real ? dimensionName(j) : `classes ${j - real + 1}`));
}

function concatenated(arrays: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(arrays.reduce((n, a) => n + a.length, 0));
  let at = 0;
  for (const a of arrays) {
    out.set(a, at);
    at += a.length;
  }
  return out;
}
