/** Points of a space, as the rows of one array, and what is done to all of them. */

export interface Points {
  readonly count: number;
  readonly width: number;
  /** [count, width] */
  readonly data: Float32Array | Float64Array;
}

export const pointsOf = (data: Float32Array | Float64Array, width: number): Points => ({
  count: data.length / width,
  width,
  data,
});

export function meanPoint({ count, width, data }: Points): Float64Array {
  const mean = new Float64Array(width);
  for (let i = 0; i < count; i++) for (let j = 0; j < width; j++) mean[j]! += data[i * width + j]!;
  return mean.map((sum) => sum / count);
}

/** The points with `mean` taken away. */
export function centred({ count, width, data }: Points, mean: Float64Array): Points {
  const out = new Float64Array(count * width);
  for (let i = 0; i < out.length; i++) out[i] = data[i]! - mean[i % width]!;
  return { count, width, data: out };
}

/** Covariance [width, width] about the mean, divided by n − 1. */
export function covariance(points: Points): Float64Array {
  const { count, width, data } = centred(points, meanPoint(points));
  const out = new Float64Array(width * width);
  for (let i = 0; i < count; i++) {
    const row = data.subarray(i * width, (i + 1) * width);
    for (let a = 0; a < width; a++) {
      const scale = row[a]! / (count - 1);
      if (scale !== 0) for (let b = 0; b <= a; b++) out[a * width + b]! += scale * row[b]!;
    }
  }
  for (let a = 0; a < width; a++) for (let b = 0; b < a; b++) out[b * width + a] = out[a * width + b]!;
  return out;
}

/** x [count, width] · y [width, columns]. */
export function times({ count, width, data }: Points, y: Float64Array, columns: number): Points {
  const out = new Float64Array(count * columns);
  for (let i = 0; i < count; i++) {
    const row = out.subarray(i * columns, (i + 1) * columns);
    for (let j = 0; j < width; j++) {
      const v = data[i * width + j]!;
      if (v === 0) continue;
      const from = j * columns;
      for (let c = 0; c < columns; c++) row[c]! += v * y[from + c]!;
    }
  }
  return { count, width: columns, data: out };
}

/** xᵀ [width, count] · y [count, columns]. */
export function transposedTimes({ count, width, data }: Points, y: Points): Points {
  const columns = y.width;
  const out = new Float64Array(width * columns);
  for (let i = 0; i < count; i++) {
    const row = y.data.subarray(i * columns, (i + 1) * columns);
    for (let j = 0; j < width; j++) {
      const v = data[i * width + j]!;
      if (v === 0) continue;
      const to = j * columns;
      for (let c = 0; c < columns; c++) out[to + c]! += v * row[c]!;
    }
  }
  return { count: width, width: columns, data: out };
}

/** The rows of several sets, one after the other. */
export function joined(sets: readonly Points[]): Points {
  const width = sets[0]!.width;
  const data = new Float64Array(sets.reduce((n, { count }) => n + count * width, 0));
  let at = 0;
  for (const set of sets) {
    data.set(set.data, at);
    at += set.data.length;
  }
  return { count: data.length / width, width, data };
}
