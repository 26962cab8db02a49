/** log p(x) by importance sampling, as the weights come: nothing is kept of them but three numbers a row. */

/** log p(x, zₖ) − log q(zₖ|x) of rows, sample after sample. */
export interface Weights {
  /** Adds `samples` weights of each row, [samples, rows]. */
  readonly add: (logWeights: ArrayLike<number>, samples: number) => void;
  /** log 1/K Σₖ wₖ of each row (Burda et al. 2016, eq. 8). */
  readonly logMean: () => Float64Array;
  /** 1/K Σₖ log wₖ of each row: the ELBO by the same samples. */
  readonly meanLog: () => Float64Array;
  /** (Σ w)² / Σ w² of each row: how many samples carry the weight (Kong 1992). */
  readonly effective: () => Float64Array;
}

export function importanceWeights(rows: number): Weights {
  const most = new Float64Array(rows).fill(Number.NEGATIVE_INFINITY);
  const [sum, squares, logs] = [new Float64Array(rows), new Float64Array(rows), new Float64Array(rows)];
  let count = 0;
  const addOne = (row: number, w: number) => {
    logs[row]! += w;
    if (w === Number.NEGATIVE_INFINITY) return;
    if (w > most[row]!) {
      const shrink = Math.exp(most[row]! - w);
      sum[row]! *= shrink;
      squares[row]! *= shrink ** 2;
      most[row] = w;
    }
    const relative = Math.exp(w - most[row]!);
    sum[row]! += relative;
    squares[row]! += relative ** 2;
  };
  return {
    add: (logWeights, samples) => {
      for (let i = 0; i < samples * rows; i++) addOne(i % rows, logWeights[i]!);
      count += samples;
    },
    logMean: () => most.map((m, i) => m + Math.log(sum[i]! / count)),
    meanLog: () => logs.map((v) => v / count),
    effective: () => sum.map((v, i) => v ** 2 / squares[i]!),
  };
}
