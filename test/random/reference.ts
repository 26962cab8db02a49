/**
 * The definition of every random number, in plain TypeScript: Philox4x32-10 (Salmon et al. 2011) and its transforms, which use
 * nothing but rounded float32 sums, products and square roots, so that SIMD and every JavaScript engine repeat the same bits.
 */
import type { Counter, Engine, Key } from '../../src/random/engine.ts';

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/** High word of the 64-bit product of two words, in 16-bit halves because doubles hold only 53 bits. */
function high(a: number, b: number): number {
  const ah = a >>> 16;
  const al = a & 0xffff;
  const bh = b >>> 16;
  const bl = b & 0xffff;
  const upper = ah * bl + ((al * bl) >>> 16);
  const lower = al * bh + (upper & 0xffff);
  return (ah * bh + (upper >>> 16) + (lower >>> 16)) | 0;
}

/** Fills `out` with `blocks` blocks of four words, counters `counter[0] + 0, 1, 2, …`. */
export function philox(out: Uint32Array, blocks: number, counter: Counter, key: Key): void {
  for (let i = 0; i < blocks; i++) {
    let [x, y, z, t] = counter;
    let [a, b] = key;
    x = (x + i) >>> 0;
    for (let round = 0; round < 10; round++) {
      const x0 = x;
      const z0 = z;
      x = (high(M1, z0) ^ y ^ a) >>> 0;
      z = (high(M0, x0) ^ t ^ b) >>> 0;
      y = Math.imul(M1, z0);
      t = Math.imul(M0, x0);
      a = (a + W0) | 0;
      b = (b + W1) | 0;
    }
    out[4 * i] = x;
    out[4 * i + 1] = y;
    out[4 * i + 2] = z;
    out[4 * i + 3] = t;
  }
}

const f = Math.fround;

type Scratch = Pick<Engine, 'words' | 'floats'>;

const LOG = [
  7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
  2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
].map(f);
const LN2_LOW = f(-2.1219444e-4);
const LN2_HIGH = f(0.693359375);
const SINE = [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1].map(f);
const COSINE = [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2].map(f);
const EIGHTH_TURN = f(3.6572951981e-10); // π/2 · 2⁻³²

function horner(coefficients: readonly number[], x: number): number {
  let y = coefficients[0]!;
  for (let i = 1; i < coefficients.length; i++) y = f(f(y * x) + coefficients[i]!);
  return y;
}

/** (word + ½) · 2⁻³² in (0, 1]: fine-grained near 0, where tails come from. */
const fraction = (word: number): number => f(f(f(word) + 0.5) * 2 ** -32);

/** log(2ᵏ (1 + x)) for 1 + x in [√½, √2): logf of Cephes (Moshier 1989). */
function logOf(k: number, x: number): number {
  const z = f(x * x);
  let y = f(f(horner(LOG, x) * x) * z);
  y = f(y + f(k * LN2_LOW));
  y = f(y - f(z * 0.5));
  return f(f(x + y) + f(k * LN2_HIGH));
}

const exponent = (bits: number): number => (bits - 0x3f3504f3) >> 23;

/** log of the float at `i`; the scratch gives its bits. */
function log({ words, floats }: Scratch, i: number, x: number): number {
  floats[i] = x;
  const k = exponent(words[i]!);
  words[i] = words[i]! - (k << 23);
  return logOf(k, f(floats[i]! - 1));
}

/** Exponential(1) noise −log(1 − v), without loss where v or 1 − v is tiny. */
function exponential(scratch: Scratch, i: number, word: number): number {
  const v = fraction(word);
  return v < 0.25 ? -logOf(0, -v) : -log(scratch, i, fraction(~word >>> 0));
}

/** The first `count` words become uniforms in the open interval (0, 1): (top 23 bits + ½) · 2⁻²³, exact in float32. */
function uniformFrom({ words, floats }: Scratch, count: number): void {
  for (let i = 0; i < count; i++) floats[i] = ((words[i]! >>> 9) + 0.5) * 2 ** -23;
}

/** The first `count` words (even) become standard normals (Box & Muller 1958): word pairs give radius and angle. */
function normalFrom(scratch: Scratch, count: number): void {
  const { words, floats } = scratch;
  for (let i = 0; i < count; i += 2) {
    const angle = words[i + 1]!;
    const r = f(Math.sqrt(f(2 * exponential(scratch, i, words[i]!))));
    const a = f(f((angle << 2) | 0) * EIGHTH_TURN); // what is left of the angle after whole quarter turns
    const q = f(a * a);
    const s = f(f(f(horner(SINE, q) * q) * a) + a);
    const c = f(f(f(f(horner(COSINE, q) * q) * q) - f(q * 0.5)) + 1);
    const turn = ((angle + 0x20000000) >>> 30) & 3;
    floats[i] = f(r * (turn === 0 ? c : turn === 1 ? -s : turn === 2 ? -c : s));
    floats[i + 1] = f(r * (turn === 0 ? s : turn === 1 ? c : turn === 2 ? -s : -c));
  }
}

/** The first `count` words become standard Gumbel noise −log(−log u), without loss in either tail. */
function gumbelFrom(scratch: Scratch, count: number): void {
  const { words, floats } = scratch;
  for (let i = 0; i < count; i++) floats[i] = -log(scratch, i, exponential(scratch, i, words[i]!));
}

/** Two draws a word, the low half first: draw d gives 1 where d < round(pixel · 65536 / 255). */
const binariseFrom = ({ words }: Scratch, pixels: Uint8Array): Float32Array =>
  Float32Array.from(pixels, (p, i) => {
    const draw = (words[i >> 1]! >>> (16 * (i & 1))) & 0xffff;
    return Number(draw < Math.round((p * 65536) / 255));
  });

/** An engine made of the definitions above. `capacity` in words. */
export function referenceEngine(capacity: number): Engine {
  const words = new Uint32Array(capacity);
  const scratch = { words, floats: new Float32Array(words.buffer) };
  return {
    ...scratch,
    raw: (blocks, counter, key) => philox(words, blocks, counter, key),
    uniform: (count) => uniformFrom(scratch, count),
    normal: (count) => normalFrom(scratch, count),
    gumbel: (count) => gumbelFrom(scratch, count),
    binarise: (pixels) => binariseFrom(scratch, pixels),
  };
}
