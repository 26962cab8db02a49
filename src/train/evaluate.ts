/** The ELBO of a set of examples with one fixed noise sample each: what validation watches. */
import { stream } from '../random/index.ts';
import type { Value } from '../runtime/index.ts';
import { entriesOf, type Vae } from '../vae/index.ts';
import { createBuffers } from './buffers.ts';
import type { CodeUse, Means } from './events.ts';
import { type GraphSession, wanted } from './session.ts';
import type { BatchSource } from './source.ts';

export interface ElboResult extends Means {
  readonly rows: number;
  /** [d], nats. */
  readonly klPerDimension: readonly number[];
  /** Of a label that is inferred: the share of the known ones whose likeliest class is right. */
  readonly accuracy?: number;
  /** Of codes that are inferred without doubt. */
  readonly codes?: CodeUse;
  /** The part of logPx that each field has, nats. */
  readonly fields: Readonly<Record<string, number>>;
}

export interface ElboOptions {
  readonly batchSize: number;
  readonly seed: number;
  /** Is shown the results of each batch, by example. */
  readonly each?: (results: Readonly<Record<string, Value>>, count: number) => void;
}

/** A dimension is active where its mean KL passes this (nats). */
export const ACTIVE = 0.01;
export const activeUnits = (klPerDimension: readonly number[]): number =>
  klPerDimension.filter((kl) => kl > ACTIVE).length;

/** Means over all rows of `source`; `session` runs `evaluationGraph(vae)`, its weights inside it or in `weights`. */
export async function evaluateElbo(
  session: GraphSession,
  vae: Vae,
  weights: Readonly<Record<string, Value>>,
  source: BatchSource,
  options: ElboOptions,
): Promise<ElboResult> {
  const { sums, rows } = await sumRows(session, vae, weights, source, options);
  const counts = sums.get('codes');
  const [known = 0, right = 0] = ['known', 'right'].map((name) => sums.get(name)?.[0]);
  return {
    ...summarise(sums, rows),
    ...(counts && { codes: useOf(counts, entriesOf(vae.codes!)) }),
    ...(known > 0 && { accuracy: right / known }),
  };
}

/** The mean over all rows of the bound on log p(x), nats; `session` runs `boundGraph(vae, …)`. */
export async function evaluateBound(
  ...[session, vae, weights, source, options]: Parameters<typeof evaluateElbo>
): Promise<number> {
  const { sums, rows } = await sumRows(session, vae, weights, source, options);
  return sums.get('bound')![0]! / rows;
}

/** The results of a graph summed over all rows of `source`, [d] each. */
async function sumRows(
  session: GraphSession,
  { spec }: Vae,
  weights: Readonly<Record<string, Value>>,
  source: BatchSource,
  { batchSize, seed, each }: ElboOptions,
): Promise<{ readonly sums: ReadonlyMap<string, Float64Array>; readonly rows: number }> {
  const sums = new Map<string, Float64Array>();
  const buffers = createBuffers(spec, session.noises, batchSize);
  let batch = 0;
  let rows = 0;
  for await (const { count, fill } of source.batches(0, 0)) {
    fill(buffers, 0);
    buffers.draw(count, (name) => stream(seed, `evaluation ${name}`, batch));
    batch++;
    const results = await session.run(wanted(session, { ...weights, ...buffers.values(count) }));
    for (const [name, value] of Object.entries(results))
      addRows(sums, name, value.data as Float32Array, count);
    each?.(results, count);
    rows += count;
  }
  return { sums, rows };
}

/** From how often each entry of each codebook, of `size` entries, occurs. */
export function useOf(counts: Float64Array, size: number): CodeUse {
  const books = Array.from({ length: counts.length / size }, (_, i) =>
    counts.subarray(i * size, (i + 1) * size),
  );
  const perplexities = books.map((book) => {
    const total = book.reduce((a, b) => a + b, 0);
    return Math.exp(-book.reduce((h, n) => (n > 0 ? h + (n / total) * Math.log(n / total) : h), 0));
  });
  return {
    entries: counts.length,
    used: counts.filter((n) => n > 0).length,
    perplexity: perplexities.reduce((a, b) => a + b, 0) / books.length,
  };
}

/** Adds the rows of data [count, d] to the running sums [d], in double precision. */
function addRows(sums: Map<string, Float64Array>, name: string, data: Float32Array, count: number): void {
  const width = data.length / count;
  const sum = sums.get(name) ?? new Float64Array(width);
  sums.set(name, sum);
  for (let i = 0; i < count; i++) for (let j = 0; j < width; j++) sum[j]! += data[i * width + j]!;
}

function summarise(sums: ReadonlyMap<string, Float64Array>, rows: number): ElboResult {
  const mean = (name: string) => Array.from(sums.get(name) ?? [Number.NaN], (v) => v / rows);
  const klPerDimension = mean('kl');
  const kl = klPerDimension.reduce((a, b) => a + b, sums.has('klLabel') ? mean('klLabel')[0]! : 0);
  const logPx = mean('logPx')[0]!;
  const prefix = 'logPx ';
  const names = [...sums.keys()].filter((name) => name.startsWith(prefix));
  const fields = Object.fromEntries(names.map((name) => [name.slice(prefix.length), mean(name)[0]!]));
  return { rows, logPx, kl, negativeElbo: kl - logPx, klPerDimension, fields };
}
