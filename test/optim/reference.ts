/** The kernels in plain TypeScript: the same float32 operations in the same order, one number at a time. */

const f = Math.fround;
const flushed = (x: number, least: number): number => (Math.abs(x) < least ? 0 : x);

/** Arrays stand for byte ranges; they are changed in place. */
export const reference = {
  descend(p: Float32Array, g: Float32Array, rate: number): void {
    p.set(p.map((x, i) => f(x - f(f(rate) * g[i]!))));
  },

  momentum(
    p: Float32Array,
    g: Float32Array,
    u: Float32Array,
    rate: number,
    mu: number,
    nesterov: number,
  ): void {
    p.forEach((x, i) => {
      u[i] = flushed(f(f(f(mu) * u[i]!) + g[i]!), f(1e-25));
      const step = nesterov ? f(g[i]! + f(f(mu) * u[i]!)) : u[i]!;
      p[i] = f(x - f(f(rate) * step));
    });
  },

  adam(p: Float32Array, g: Float32Array, m: Float32Array, v: Float32Array, scalars: readonly number[]): void {
    const [rate, c1, c2, epsilon, keep] = scalars.map(f) as [number, number, number, number, number];
    const least = f(epsilon * 2 ** -22);
    p.forEach((x, i) => {
      const root = Math.abs(g[i]!) < least ? least : Math.abs(g[i]!);
      m[i] = flushed(f(m[i]! + f(c1 * f(g[i]! - m[i]!))), least);
      v[i] = f(v[i]! + f(c2 * f(f(root * root) - v[i]!)));
      p[i] = f(f(keep * x) - f(f(rate * m[i]!) / f(f(Math.sqrt(v[i]!)) + epsilon)));
    });
  },

  /** Eight partial sums, as the kernel adds them. */
  sumOfSquares(x: Float32Array): number {
    const sums = new Float64Array(8);
    for (const [i, value] of x.entries()) sums[i % 8]! += value * value;
    const [a0, a1, b0, b1, c0, c1, d0, d1] = sums as unknown as number[];
    return a0! + b0! + (c0! + d0!) + (a1! + b1! + (c1! + d1!));
  },

  scale(x: Float32Array, factor: number): void {
    x.set(x.map((value) => f(f(factor) * value)));
  },

  approach(y: Float32Array, x: Float32Array, weight: number): void {
    y.set(y.map((old, i) => f(old + f(f(weight) * f(x[i]! - old)))));
  },
};
