/** Named streams of random numbers: a pure function of (seed, purpose, indices), so that resuming needs no saved state. */
import { UserError } from '../errors.ts';
import { CAPACITY, type Counter, type Engine, type Key, openEngine } from './engine.ts';

/**
 * Each call continues where the last one stopped, at the next block of four words. Every method fills its argument whole,
 * with the same numbers on every runtime.
 */
export interface Stream {
  uint32(out: Uint32Array): void;
  /** In the open interval (0, 1), never 0 or 1 in float32; multiples of 2⁻²⁴. */
  uniform(out: Float32Array): void;
  /** N(0, 1) by Box & Muller (1958). */
  normal(out: Float32Array): void;
  /** Gumbel(0, 1): −log(−log u). */
  gumbel(out: Float32Array): void;
  /** Uniform over 0 … below − 1, unbiased; `below` up to 2³². */
  integer(below: number): number;
  /** 0 … n − 1 in random order (Fisher & Yates 1938). */
  permutation(n: number): Uint32Array;
  /** Dynamic binarisation (Salakhutdinov & Murray 2008): 1 with probability pixel / 255, else 0. */
  binarise(pixels: Uint8Array, out: Float32Array): void;
}

const BLOCKS = 2 ** 32;

const low = (n: number): number => n >>> 0;
const high = (n: number): number => Math.floor(n / 2 ** 32);

// Compiled on first use and then shared: no call reads what another left in it.
let shared: Engine | undefined;
const engine = (): Engine => (shared ??= openEngine());

/** Philox itself hashes the purpose: each eight UTF-16 units are a counter under the key of those before. */
function keyOf(seed: number, purpose: string): Key {
  const { raw, words } = engine();
  let key: Key = [low(seed), high(seed)];
  for (let i = 0; i <= purpose.length; i += 8) {
    const pair = (j: number) =>
      (purpose.charCodeAt(i + j) || 0) | ((purpose.charCodeAt(i + j + 1) || 0) << 16);
    raw(1, [pair(0), pair(2), pair(4), pair(6) ^ (purpose.length << 8)], key);
    key = [words[0]!, words[1]!];
  }
  return key;
}

/** Counter words 1–3: the first index takes 53 bits, the second 32, and their number two. */
function counterOf(indices: readonly number[]): Counter {
  const [first = 0, second = 0] = indices;
  if (indices.length > 2 || !Number.isSafeInteger(first) || first < 0 || second !== low(second))
    throw new RangeError(`stream indices ${indices.join(', ')}: expected at most two, below 2^53 and 2^32`);
  return [0, low(first), high(first) + indices.length * 2 ** 30, second];
}

function checkSeed(seed: number): void {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new UserError(`seed ${seed}: expected a whole number from 0 to 2^53 - 1`);
}

/** The stream of `purpose` under `seed`; up to two indices (epoch, step, row …) open independent streams. */
export function stream(seed: number, purpose: string, ...indices: number[]): Stream {
  checkSeed(seed);
  return open(keyOf(seed, purpose), counterOf(indices));
}

function open(key: Key, [, c1, c2, c3]: Counter): Stream {
  let next = 0; // block

  /** Draws `words` random words into the scratch and moves on. */
  const draw = (words: number): Engine => {
    const blocks = Math.ceil(words / 4);
    if (next + blocks > BLOCKS) throw new RangeError('random stream exhausted: 2^32 blocks drawn');
    engine().raw(blocks, [next, c1, c2, c3], key);
    next += blocks;
    return engine();
  };

  const fill = (out: Float32Array, transform: 'uniform' | 'normal' | 'gumbel'): void => {
    for (let at = 0; at < out.length; ) {
      const n = Math.min(out.length - at, CAPACITY);
      const scratch = draw(n);
      scratch[transform](n);
      out.set(scratch.floats.subarray(0, n), at);
      at += n;
    }
  };

  const uint32 = (out: Uint32Array): void => {
    for (let at = 0; at < out.length; ) {
      const n = Math.min(out.length - at, CAPACITY);
      out.set(draw(n).words.subarray(0, n), at);
      at += n;
    }
  };

  /** One word after another, drawn `size` at a time. */
  const wordByWord = (size: number): (() => number) => {
    const buffer = new Uint32Array(size);
    let used = size;
    return () => {
      if (used === size) {
        uint32(buffer);
        used = 0;
      }
      return buffer[used++]!;
    };
  };

  let single: (() => number) | undefined;
  return {
    uint32,
    uniform: (out) => fill(out, 'uniform'),
    normal: (out) => fill(out, 'normal'),
    gumbel: (out) => fill(out, 'gumbel'),
    integer: (below) => integer((single ??= wordByWord(4)), below),
    permutation: (n) => shuffled(n, wordByWord(Math.min(4096, Math.ceil(n / 4) * 4))),
    binarise: (pixels, out) => {
      for (let at = 0; at < pixels.length; at += CAPACITY) {
        const some = pixels.subarray(at, at + CAPACITY);
        out.set(draw(Math.ceil(some.length / 2)).binarise(some), at);
      }
    },
  };
}

/** High word of the 64-bit product of two words, in 16-bit halves because doubles hold only 53 bits. */
function productHigh(a: number, b: number): number {
  const upper = (a >>> 16) * (b & 0xffff) + (((a & 0xffff) * (b & 0xffff)) >>> 16);
  const lower = (a & 0xffff) * (b >>> 16) + (upper & 0xffff);
  return ((a >>> 16) * (b >>> 16) + (upper >>> 16) + (lower >>> 16)) >>> 0;
}

/** Lemire (2019), algorithm 5: scale a word to the range and refuse the few that would make low values likelier. */
function integer(word: () => number, below: number): number {
  if (!(below >= 1 && below <= 2 ** 32 && Number.isInteger(below)))
    throw new RangeError(`integer(${below}): expected a whole number from 1 to 2^32`);
  if (below === 2 ** 32) return word();
  for (;;) {
    const w = word();
    const rest = low(Math.imul(w, below));
    if (rest >= below || rest >= (2 ** 32 - below) % below) return productHigh(w, below);
  }
}

function shuffled(n: number, word: () => number): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = integer(word, i + 1);
    const t = order[i]!;
    order[i] = order[j]!;
    order[j] = t;
  }
  return order;
}
