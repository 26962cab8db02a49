/** The ELBO of a set of examples with one fixed noise sample each: what validation watches. */
import { stream } from '../random/index.ts';
import type { Session, Value } from '../runtime/index.ts';
import type { Vae } from '../vae/index.ts';
import type { Means } from './events.ts';
import { wanted } from './learner.ts';
import type { BatchSource } from './source.ts';

export interface ElboResult extends Means {
  readonly rows: number;
  /** [d], nats. */
  readonly klPerDimension: readonly number[];
  /** The part of logPx that each field has, nats. */
  readonly fields: Readonly<Record<string, number>>;
}

export interface ElboOptions {
  readonly batchSize: number;
  readonly seed: number;
}

/** A dimension is active where its mean KL passes this (nats). */
export const ACTIVE = 0.01;
export const activeUnits = (klPerDimension: readonly number[]): number =>
  klPerDimension.filter((kl) => kl > ACTIVE).length;

/** Means over all rows of `source`; `session` runs `evaluationGraph(vae)`, its weights inside it or in `weights`. */
export async function evaluateElbo(
  session: Session,
  vae: Vae,
  weights: Readonly<Record<string, Value>>,
  source: BatchSource,
  { batchSize, seed }: ElboOptions,
): Promise<ElboResult> {
  const sums = new Map<string, Float64Array>();
  const buffers = batchBuffers(vae, batchSize);
  let batch = 0;
  let rows = 0;
  for await (const { count, fill } of source.batches(0, 0)) {
    fill(buffers, 0);
    stream(seed, 'evaluation noise', batch++).normal(buffers.noise.subarray(0, count * vae.spec.latent));
    const results = await session.run(wanted(session, { ...weights, ...buffers.values(count) }));
    for (const [name, value] of Object.entries(results))
      addRows(sums, name, value.data as Float32Array, count);
    rows += count;
  }
  return summarise(sums, rows);
}

/** Feeds for up to `batchSize` examples. */
export function batchBuffers({ spec }: Vae, batchSize: number, samples = 1) {
  const length = spec.shape.reduce((a, b) => a * b, 1);
  const x = new Float32Array(batchSize * length);
  const mask = new Float32Array(spec.masked ? batchSize * spec.parts.length : 0);
  const noise = new Float32Array(batchSize * samples * spec.latent);
  const values = (count: number): Record<string, Value> => ({
    x: { data: x.subarray(0, count * length), dims: [count, ...spec.shape] },
    mask: { data: mask.subarray(0, count * spec.parts.length), dims: [count, spec.parts.length] },
    noise: { data: noise.subarray(0, count * samples * spec.latent), dims: [count * samples, spec.latent] },
  });
  return { x, mask, noise, values };
}

/** Adds the rows of data [count, d] to the running sums [d], in double precision. */
function addRows(sums: Map<string, Float64Array>, name: string, data: Float32Array, count: number): void {
  const width = data.length / count;
  const sum = sums.get(name) ?? new Float64Array(width);
  sums.set(name, sum);
  for (let i = 0; i < data.length; i++) sum[i % width]! += data[i]!;
}

function summarise(sums: Map<string, Float64Array>, rows: number): ElboResult {
  const mean = (name: string) => Array.from(sums.get(name) ?? [Number.NaN], (v) => v / rows);
  const klPerDimension = mean('kl');
  const kl = klPerDimension.reduce((a, b) => a + b, 0);
  const logPx = mean('logPx')[0]!;
  const prefix = 'logPx ';
  const names = [...sums.keys()].filter((name) => name.startsWith(prefix));
  const fields = Object.fromEntries(names.map((name) => [name.slice(prefix.length), mean(name)[0]!]));
  return { rows, logPx, kl, negativeElbo: kl - logPx, klPerDimension, fields };
}
