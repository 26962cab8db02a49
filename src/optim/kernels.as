// Optimiser kernels over the arena (AssemblyScript, 128-bit SIMD, float32). Addresses are bytes, `n` floats in multiples of 16.
// The test's plain TypeScript does the same operations in the same order and gives the same bits.

// On denormals the processor is up to 65 times slower (measured), and weights whose gradient stays zero, such as those of a pixel
// that is never lit again, bring them about at every step. So a moment is rounded to what `grain` leaves of it: multiples of 2⁻²³
// of the grain, and zero below. Larger moments stay as they are but for an error of rounding.
// @ts-ignore: decorator
@inline
function rounded(x: v128, grain: v128): v128 {
  return f32x4.sub(f32x4.add(x, grain), grain);
}

/** p ← p − rate · g */
export function descend(p: usize, g: usize, n: usize, rate: f32): void {
  const a = f32x4.splat(rate), end = p + (n << 2);
  for (; p < end; p += 16, g += 16) v128.store(p, f32x4.sub(v128.load(p), f32x4.mul(a, v128.load(g))));
}

/** u ← momentum · u + g, p ← p − rate · u; with Nesterov p ← p − rate · (g + momentum · u) */
export function momentum(p: usize, g: usize, u: usize, n: usize, rate: f32, mu: f32, nesterov: i32): void {
  const a = f32x4.splat(rate), k = f32x4.splat(mu), end = p + (n << 2);
  const grain = f32x4.splat(1e-25);
  for (; p < end; p += 16, g += 16, u += 16) {
    const d = v128.load(g), v = rounded(f32x4.add(f32x4.mul(k, v128.load(u)), d), grain);
    v128.store(u, v);
    const step = nesterov ? f32x4.add(d, f32x4.mul(k, v)) : v;
    v128.store(p, f32x4.sub(v128.load(p), f32x4.mul(a, step)));
  }
}

/**
 * m ← m + c1 · (g − m), v ← v + c2 · (g² − v), p ← p − rate · m / (√v + epsilon). Returns Σ g², since what a step needs besides
 * hides behind its divisions, where a pass of its own would wait for the memory.
 * The caller folds the bias corrections into rate and epsilon. 2⁻²² of epsilon is the grain of m, and is added to a gradient before
 * it is squared: both are next to nothing beside epsilon, and neither makes denormals, however long v takes to come to rest. The
 * time goes by the number of instructions, so there is none that could be spared. Four vectors a turn, so that addresses are
 * counted on once for all four, and sixteen turns until what float32 has summed goes to float64.
 */
export function adam(
  p: usize, g: usize, m: usize, v: usize, n: usize,
  rate: f32, c1: f32, c2: f32, epsilon: f32,
): f64 {
  const a = f32x4.splat(rate), e = f32x4.splat(epsilon), end = p + (n << 2);
  const r1 = f32x4.splat(c1), r2 = f32x4.splat(c2), grain = f32x4.splat(epsilon * 2.384185791015625e-7);
  let sum = f64x2.splat(0);
  while (p < end) {
    const stop = min(p + 1024, end);
    let part = f32x4.splat(0);
    for (; p < stop; p += 64, g += 64, m += 64, v += 64) {
      part = f32x4.add(part, adamVector(p, g, m, v, a, r1, r2, e, grain));
      part = f32x4.add(part, adamVector(p + 16, g + 16, m + 16, v + 16, a, r1, r2, e, grain));
      part = f32x4.add(part, adamVector(p + 32, g + 32, m + 32, v + 32, a, r1, r2, e, grain));
      part = f32x4.add(part, adamVector(p + 48, g + 48, m + 48, v + 48, a, r1, r2, e, grain));
    }
    const upper = v128.shuffle<u32>(part, part, 2, 3, 2, 3);
    sum = f64x2.add(sum, f64x2.add(f64x2.promote_low_f32x4(part), f64x2.promote_low_f32x4(upper)));
  }
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

// Returns g².
// @ts-ignore: decorator
@inline
function adamVector(
  p: usize, g: usize, m: usize, v: usize,
  a: v128, r1: v128, r2: v128, e: v128, grain: v128,
): v128 {
  const d = v128.load(g), off = f32x4.add(d, grain), squared = f32x4.mul(off, off);
  const m0 = v128.load(m), first = rounded(f32x4.add(m0, f32x4.mul(r1, f32x4.sub(d, m0))), grain);
  const v0 = v128.load(v), second = f32x4.add(v0, f32x4.mul(r2, f32x4.sub(squared, v0)));
  v128.store(m, first);
  v128.store(v, second);
  const step = f32x4.div(f32x4.mul(a, first), f32x4.add(f32x4.sqrt(second), e));
  v128.store(p, f32x4.sub(v128.load(p), step));
  return squared;
}

// @ts-ignore: decorator
@inline
function squares(x: usize): v128 {
  const d = f64x2.promote_low_f32x4(v128.load64_zero(x));
  return f64x2.mul(d, d);
}

/** Σ x² in float64, in eight partial sums. */
export function sumOfSquares(x: usize, n: usize): f64 {
  let a = f64x2.splat(0), b = a, c = a, d = a;
  const end = x + (n << 2);
  for (; x < end; x += 32) {
    a = f64x2.add(a, squares(x));
    b = f64x2.add(b, squares(x + 8));
    c = f64x2.add(c, squares(x + 16));
    d = f64x2.add(d, squares(x + 24));
  }
  const total = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
  return f64x2.extract_lane(total, 0) + f64x2.extract_lane(total, 1);
}

/** x ← factor · x */
export function scale(x: usize, n: usize, factor: f32): void {
  const k = f32x4.splat(factor), end = x + (n << 2);
  for (; x < end; x += 16) v128.store(x, f32x4.mul(k, v128.load(x)));
}

/** y ← y + weight · (x − y) */
export function approach(y: usize, x: usize, n: usize, weight: f32): void {
  const w = f32x4.splat(weight), end = y + (n << 2);
  for (; y < end; y += 16, x += 16) {
    const old = v128.load(y);
    v128.store(y, f32x4.add(old, f32x4.mul(w, f32x4.sub(v128.load(x), old))));
  }
}
