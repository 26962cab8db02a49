/** The VAE whose log p(x) is known: p(z) = N(0, I), p(x|z) = N(Wz + b, s²I), so p(x) = N(b, WWᵀ + s²I). */

export interface LinearGaussian {
  /** D rows of Z. */
  readonly w: readonly (readonly number[])[];
  readonly b: readonly number[];
  /** s². */
  readonly variance: number;
}

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, v, i) => sum + v * b[i]!, 0);

/** Lower triangular L with LLᵀ = a (Cholesky). */
function cholesky(a: readonly (readonly number[])[]): number[][] {
  const l = a.map((row) => row.map(() => 0));
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j <= i; j++) {
      const rest = a[i]![j]! - dot(l[i]!.slice(0, j), l[j]!.slice(0, j));
      l[i]![j] = i === j ? Math.sqrt(rest) : rest / l[j]![j]!;
    }
  }
  return l;
}

/** log N(x; b, WWᵀ + s²I): with LLᵀ the covariance and Ly = x − b, −½ (yᵀy + D log 2π) − Σ log Lᵢᵢ. */
export function logDensity({ w, b, variance }: LinearGaussian, x: readonly number[]): number {
  const covariance = w.map((row, i) => w.map((other, j) => dot(row, other) + (i === j ? variance : 0)));
  const l = cholesky(covariance);
  const y: number[] = [];
  for (const [i, row] of l.entries()) y.push((x[i]! - b[i]! - dot(row.slice(0, i), y)) / row[i]!);
  const logDeterminant = l.reduce((sum, row, i) => sum + Math.log(row[i]!), 0);
  return -0.5 * (dot(y, y) + x.length * Math.log(2 * Math.PI)) - logDeterminant;
}

/**
 * The exact posterior where the columns of W are orthogonal: each zⱼ is N(wⱼᵀ(x − b)/(s² + |wⱼ|²), s²/(s² + |wⱼ|²)), as the
 * weights [D, 2Z] and biases of a linear layer that gives μ and log σ².
 */
export function exactPosterior({ w, b, variance }: LinearGaussian): { weight: number[]; bias: number[] } {
  const columns = w[0]!.map((_, j) => w.map((row) => row[j]!));
  const scales = columns.map((c) => variance + dot(c, c));
  const weight = w.flatMap((row) => [...row.map((v, j) => v / scales[j]!), ...row.map(() => 0)]);
  const means = columns.map((c, j) => -dot(c, b) / scales[j]!);
  return { weight, bias: [...means, ...scales.map((s) => Math.log(variance / s))] };
}

/** E and deviation of each value that is null given the others: of the joint Gaussian, by elimination of what is there. */
export function conditional(
  { w, b, variance }: LinearGaussian,
  x: readonly (number | null)[],
): { mean: number[]; deviation: number[] } {
  const mean = [...b];
  const c = w.map((row, i) => w.map((other, j) => dot(row, other) + (i === j ? variance : 0)));
  for (const [k, v] of x.entries()) {
    if (v === null) continue;
    const gain = c.map((row) => row[k]! / c[k]![k]!);
    const off = v - mean[k]!;
    const own = [...c[k]!];
    for (const [i, g] of gain.entries()) {
      mean[i]! += g * off;
      for (const j of own.keys()) c[i]![j]! -= g * own[j]!;
    }
  }
  return { mean, deviation: c.map((row, i) => Math.sqrt(Math.max(0, row[i]!))) };
}
