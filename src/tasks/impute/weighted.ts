/** Self-normalised importance sampling, sample after sample: expectations, and draws among the samples by their weights. */
import type { Stream } from '../../random/index.ts';

export interface Weighted {
  /** Adds `samples` samples of each row: their log weights [samples, rows] and values [samples, rows, width]. */
  readonly add: (logWeights: Float32Array, values: Float32Array, samples: number) => void;
  /** Σₖ wₖ valueₖ / Σₖ wₖ, [rows, width]. */
  readonly mean: () => Float32Array;
  /** (Σ w)² / Σ w² of each row: how many samples carry the weight (Kong 1992). */
  readonly effective: () => Float64Array;
}

const LEAST = -1e30; // log of a weight of 0: where all are 0, all count alike

const logWeightOf = (w: number): number => (w > LEAST ? w : LEAST); // NaN too

/** Nothing is kept of the samples but their weighted sums, relative to the largest weight so far. */
export function weighted(rows: number, width: number): Weighted {
  const most = new Float64Array(rows).fill(Number.NEGATIVE_INFINITY);
  const [sum, squares] = [new Float64Array(rows), new Float64Array(rows)];
  const sums = new Float64Array(rows * width);
  const raise = (row: number, to: number) => {
    if (to <= most[row]!) return;
    const shrink = Math.exp(most[row]! - to);
    sum[row]! *= shrink;
    squares[row]! *= shrink ** 2;
    for (let d = row * width; d < (row + 1) * width; d++) sums[d]! *= shrink;
    most[row] = to;
  };
  return {
    add: (logWeights, values, samples) => {
      for (let i = 0; i < samples * rows; i++) {
        const row = i % rows;
        const w = logWeightOf(logWeights[i]!);
        raise(row, w);
        const relative = Math.exp(w - most[row]!);
        sum[row]! += relative;
        squares[row]! += relative ** 2;
        for (let d = 0; d < width; d++) sums[row * width + d]! += relative * values[i * width + d]!;
      }
    },
    mean: () => Float32Array.from(sums, (v, d) => v / sum[Math.floor(d / width)]!),
    effective: () => sum.map((v, row) => v ** 2 / squares[row]!),
  };
}

/**
 * `draws` of the samples of each row, each with the probability that its weight has among all (sampling importance resampling:
 * Rubin 1988): logWeights [K, rows], z [K, rows, width] → [draws, rows, width].
 */
export function resampled(
  logWeights: Float32Array,
  z: Float32Array,
  { rows, draws }: { readonly rows: number; readonly draws: number },
  random: Stream,
): Float32Array {
  const samples = logWeights.length / rows;
  const width = z.length / logWeights.length;
  const uniform = new Float32Array(draws * rows);
  random.uniform(uniform);
  const out = new Float32Array(draws * rows * width);
  const up = new Float64Array(samples);
  for (let row = 0; row < rows; row++) {
    cumulate(logWeights, row, rows, up);
    for (let d = 0; d < draws; d++) {
      const k = firstAbove(up, uniform[d * rows + row]! * up[samples - 1]!);
      const from = (k * rows + row) * width;
      out.set(z.subarray(from, from + width), (d * rows + row) * width);
    }
  }
  return out;
}

/** Running sums of one row's weights, relative to its largest. */
function cumulate(logWeights: Float32Array, row: number, rows: number, up: Float64Array): void {
  let most = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < up.length; k++) most = Math.max(most, logWeightOf(logWeights[k * rows + row]!));
  let sum = 0;
  for (let k = 0; k < up.length; k++)
    up[k] = sum += Math.exp(logWeightOf(logWeights[k * rows + row]!) - most);
}

/** The first place whose value is above `level`, or else the last one. */
function firstAbove(ascending: Float64Array, level: number): number {
  let [low, high] = [0, ascending.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! > level) high = middle;
    else low = middle + 1;
  }
  return low;
}
