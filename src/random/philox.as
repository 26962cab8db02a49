// Philox4x32-10 and its transforms to floats, four lanes at a time (AssemblyScript, 128-bit SIMD).
// test/random/reference.ts is the definition; every function here gives the same bits.

/** The upper halves of the 64-bit products of four words, and the lower halves. */
// @ts-ignore: decorator
@inline
function high(x: v128, m: v128): v128 {
  return v128.shuffle<u32>(i64x2.extmul_low_i32x4_u(x, m), i64x2.extmul_high_i32x4_u(x, m), 1, 3, 5, 7);
}

// @ts-ignore: decorator
@inline
function low(x: v128, m: v128): v128 {
  return v128.shuffle<u32>(i64x2.extmul_low_i32x4_u(x, m), i64x2.extmul_high_i32x4_u(x, m), 0, 2, 4, 6);
}

/** Lanes are counters, vectors are words: transposed so that a block's four words are neighbours. */
// @ts-ignore: decorator
@inline
function store(at: usize, x: v128, y: v128, z: v128, t: v128): void {
  const xy = v128.shuffle<u32>(x, y, 0, 4, 1, 5), xyh = v128.shuffle<u32>(x, y, 2, 6, 3, 7);
  const zt = v128.shuffle<u32>(z, t, 0, 4, 1, 5), zth = v128.shuffle<u32>(z, t, 2, 6, 3, 7);
  v128.store(at, v128.shuffle<u64>(xy, zt, 0, 2));
  v128.store(at, v128.shuffle<u64>(xy, zt, 1, 3), 16);
  v128.store(at, v128.shuffle<u64>(xyh, zth, 0, 2), 32);
  v128.store(at, v128.shuffle<u64>(xyh, zth, 1, 3), 48);
}

/**
 * Writes `blocks` blocks of four words at `at`, rounded up to a multiple of 8; the counter of block i is (c0 + i, c1, c2, c3).
 * Each round waits for the one before: two sets of four counters (xyzt and uvws) fill each other's waits.
 */
export function raw(at: usize, blocks: i32, c0: i32, c1: i32, c2: i32, c3: i32, k0: i32, k1: i32): void {
  const m0 = i32x4.splat(0xd2511f53), m1 = i32x4.splat(0xcd9e8d57);
  const w0 = i32x4.splat(0x9e3779b9), w1 = i32x4.splat(0xbb67ae85);
  const y0 = i32x4.splat(c1), z0 = i32x4.splat(c2), t0 = i32x4.splat(c3);
  const q0 = i32x4.splat(k0), q1 = i32x4.splat(k1);
  let count = i32x4.add(i32x4.splat(c0), i32x4(0, 1, 2, 3));
  const end = at + (<usize>((blocks + 7) & ~7) << 4);
  for (; at < end; at += 128) {
    let x = count, y = y0, z = z0, t = t0, a = q0, b = q1;
    let u = i32x4.add(count, i32x4.splat(4)), v = y0, w = z0, s = t0; // the other set
    for (let round = 0; round < 10; round++) {
      const nx = v128.xor(v128.xor(high(z, m1), y), a), nz = v128.xor(v128.xor(high(x, m0), t), b);
      const nu = v128.xor(v128.xor(high(w, m1), v), a), nw = v128.xor(v128.xor(high(u, m0), s), b);
      y = low(z, m1); t = low(x, m0); x = nx; z = nz;
      v = low(w, m1); s = low(u, m0); u = nu; w = nw;
      a = i32x4.add(a, w0);
      b = i32x4.add(b, w1);
    }
    store(at, x, y, z, t);
    store(at + 64, u, v, w, s);
    count = i32x4.add(count, i32x4.splat(8));
  }
}

/** Words to uniforms in (0, 1), in place. */
export function uniform(at: usize, words: i32): void {
  const end = at + (<usize>words << 2);
  for (; at < end; at += 16) {
    const top = f32x4.convert_i32x4_u(i32x4.shr_u(v128.load(at), 9));
    v128.store(at, f32x4.mul(f32x4.add(top, f32x4.splat(0.5)), f32x4.splat(1.1920928955078125e-7)));
  }
}

// @ts-ignore: decorator
@inline
function fraction(words: v128): v128 {
  return f32x4.mul(f32x4.add(f32x4.convert_i32x4_u(words), f32x4.splat(0.5)), f32x4.splat(2.3283064365386963e-10));
}

// @ts-ignore: decorator
@inline
function exponent(x: v128): v128 {
  return i32x4.shr_s(i32x4.sub(x, i32x4.splat(0x3f3504f3)), 23);
}

// @ts-ignore: decorator
@inline
function mantissa(x: v128, e: v128): v128 {
  return f32x4.sub(i32x4.sub(x, i32x4.shl(e, 23)), f32x4.splat(1));
}

// @ts-ignore: decorator
@inline
function horner(y: v128, x: v128, c: f32): v128 {
  return f32x4.add(f32x4.mul(y, x), f32x4.splat(c));
}

// @ts-ignore: decorator
@inline
function logOf(e: v128, f: v128): v128 {
  const k = f32x4.convert_i32x4_s(e), z = f32x4.mul(f, f);
  let y = horner(f32x4.splat(7.0376836292e-2), f, -1.1514610310e-1);
  y = horner(y, f, 1.1676998740e-1);
  y = horner(y, f, -1.2420140846e-1);
  y = horner(y, f, 1.4249322787e-1);
  y = horner(y, f, -1.6668057665e-1);
  y = horner(y, f, 2.0000714765e-1);
  y = horner(y, f, -2.4999993993e-1);
  y = horner(y, f, 3.3333331174e-1);
  y = f32x4.mul(f32x4.mul(y, f), z);
  y = f32x4.add(y, f32x4.mul(k, f32x4.splat(-2.12194440e-4)));
  y = f32x4.sub(y, f32x4.mul(z, f32x4.splat(0.5)));
  return f32x4.add(f32x4.add(f, y), f32x4.mul(k, f32x4.splat(0.693359375)));
}

/** Exponential(1) noise −log(1 − v), without loss where v or 1 − v is tiny: both come from the word itself. */
// @ts-ignore: decorator
@inline
function exponential(words: v128): v128 {
  const v = fraction(words), rest = fraction(v128.not(words)), e = exponent(rest);
  return f32x4.neg(logOf(e, v128.bitselect(f32x4.neg(v), mantissa(rest, e), f32x4.lt(v, f32x4.splat(0.25)))));
}

// @ts-ignore: decorator
@inline
function signed(x: v128, turn: v128): v128 {
  return v128.xor(x, i32x4.shl(v128.and(turn, i32x4.splat(2)), 30));
}

/** Words to standard normals, in place: words (2i, 2i + 1) give a radius and an angle. `words` in multiples of 8. */
export function normal(at: usize, words: i32): void {
  const end = at + (<usize>words << 2);
  for (; at < end; at += 32) {
    const first = v128.load(at), second = v128.load(at, 16);
    const even = v128.shuffle<u32>(first, second, 0, 2, 4, 6), odd = v128.shuffle<u32>(first, second, 1, 3, 5, 7);
    const r = f32x4.sqrt(f32x4.mul(exponential(even), f32x4.splat(2)));
    // the nearest quarter turn by its number, the rest as a signed angle within an eighth of a turn
    const turn = i32x4.shr_u(i32x4.add(odd, i32x4.splat(0x20000000)), 30);
    const rest = f32x4.convert_i32x4_s(i32x4.shl(odd, 2));
    const a = f32x4.mul(rest, f32x4.splat(3.6572951981e-10)), q = f32x4.mul(a, a);
    let s = horner(f32x4.splat(-1.9515295891e-4), q, 8.3321608736e-3);
    s = horner(s, q, -1.6666654611e-1);
    s = f32x4.add(f32x4.mul(f32x4.mul(s, q), a), a);
    let c = horner(f32x4.splat(2.443315711809948e-5), q, -1.388731625493765e-3);
    c = horner(c, q, 4.166664568298827e-2);
    c = f32x4.add(f32x4.sub(f32x4.mul(f32x4.mul(c, q), q), f32x4.mul(q, f32x4.splat(0.5))), f32x4.splat(1));
    // cos: c -s -c s, sin: s c -s -c for quarter turns 0 1 2 3
    const swap = i32x4.ne(v128.and(turn, i32x4.splat(1)), i32x4.splat(0));
    const u = f32x4.mul(r, signed(v128.bitselect(s, c, swap), i32x4.add(turn, i32x4.splat(1))));
    const v = f32x4.mul(r, signed(v128.bitselect(c, s, swap), turn));
    v128.store(at, v128.shuffle<u32>(u, v, 0, 4, 1, 5));
    v128.store(at, v128.shuffle<u32>(u, v, 2, 6, 3, 7), 16);
  }
}

/** Words to standard Gumbel noise −log(−log u), in place. `words` in multiples of 4. */
export function gumbel(at: usize, words: i32): void {
  const end = at + (<usize>words << 2);
  for (; at < end; at += 16) {
    const x = exponential(v128.load(at)), e = exponent(x);
    v128.store(at, f32x4.neg(logOf(e, mantissa(x, e))));
  }
}

// @ts-ignore: decorator
@inline
function ones(below: v128): v128 {
  return v128.and(below, f32x4.splat(1));
}

/** Pixels (bytes) and 16-bit draws to floats, 1 with probability pixel / 255, else 0. `n` in multiples of 16. */
export function binarise(pixels: usize, draws: usize, out: usize, n: i32): void {
  const end = pixels + <usize>n;
  for (; pixels < end; pixels += 16, draws += 32, out += 64) {
    const p = v128.load(pixels);
    for (let half: usize = 0; half < 2; half++) {
      const wide = half ? i16x8.extend_high_i8x16_u(p) : i16x8.extend_low_i8x16_u(p);
      // round(p · 65536 / 255) = 257 p, and 1 more from 128 on; the last draw below it fits 16 bits, but for p = 0
      const below = i16x8.add(i16x8.mul(wide, i16x8.splat(257)), i16x8.shr_u(wide, 7));
      const last = i16x8.sub(below, i16x8.splat(1));
      const hit = v128.and(i16x8.le_u(v128.load(draws + (half << 4)), last), i16x8.ne(wide, i16x8.splat(0)));
      v128.store(out + (half << 5), ones(i32x4.extend_low_i16x8_s(hit)));
      v128.store(out + (half << 5), ones(i32x4.extend_high_i16x8_s(hit)), 16);
    }
  }
}
