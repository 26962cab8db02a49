/** The kernels in plain TypeScript: the same float32 operations in the same order, one number at a time. */

const f = Math.fround;
const rounded = (x: number, grain: number): number => f(f(x + grain) - grain);

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
      u[i] = rounded(f(f(f(mu) * u[i]!) + g[i]!), f(1e-25));
      const step = nesterov ? f(g[i]! + f(f(mu) * u[i]!)) : u[i]!;
      p[i] = f(x - f(f(rate) * step));
    });
  },

  /** The sum of squares in float32 over 64 vectors of four, lane by lane, and in float64 over these. */
  adam(
    p: Float32Array,
    g: Float32Array,
    m: Float32Array,
    v: Float32Array,
    scalars: readonly number[],
  ): number {
    const [rate, c1, c2, epsilon] = scalars.map(f) as [number, number, number, number];
    const grain = f(epsilon * 2 ** -22);
    const squares = g.map((d) => f(d + grain) ** 2);
    p.forEach((x, i) => {
      m[i] = rounded(f(m[i]! + f(c1 * f(g[i]! - m[i]!))), grain);
      v[i] = f(v[i]! + f(c2 * f(squares[i]! - v[i]!)));
      p[i] = f(x - f(f(rate * m[i]!) / f(f(Math.sqrt(v[i]!)) + epsilon)));
    });
    const sums = [0, 0];
    for (let i = 0; i < squares.length; i += 256) {
      const lanes = new Float32Array(4);
      for (const [j, square] of squares.subarray(i, i + 256).entries()) lanes[j % 4]! += square;
      sums[0]! += lanes[0]! + lanes[2]!;
      sums[1]! += lanes[1]! + lanes[3]!;
    }
    return sums[0]! + sums[1]!;
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
