/** Philox4x32-10 (Salmon et al. 2011) and its transforms to noise, as a SIMD WebAssembly kernel over a small scratch buffer. */
import { WASM } from './philox.wasm.ts';

/** A 128-bit counter, least significant word first; only the first word advances from block to block. */
export type Counter = readonly [number, number, number, number];
export type Key = readonly [number, number];

/** Works on its own scratch, from the start: `raw` draws words, one of the transforms makes them noise in place. */
export interface Engine {
  readonly words: Uint32Array;
  /** The same memory as `words`. */
  readonly floats: Float32Array;
  /** Blocks of four words each; the scratch is written up to a multiple of eight. */
  raw(blocks: number, counter: Counter, key: Key): void;
  /** (top 23 bits + ½) · 2⁻²³: in the open interval (0, 1), exact in float32. */
  uniform(count: number): void;
  /** Box & Muller (1958): words (2i, 2i + 1) give a radius and an angle. */
  normal(count: number): void;
  /** −log(−log u), without loss in either tail. */
  gumbel(count: number): void;
  /**
   * 1 with probability pixel / 255, else 0, from two draws a word: draw d (16 bits) gives 1 where d < round(257.004 pixel).
   * At most CAPACITY pixels; the result is good until the next call.
   */
  binarise(pixels: Uint8Array): Float32Array;
}

/** Words of scratch, a multiple of 32 for `raw`: fits a level-1 cache. */
export const CAPACITY = 8192;

interface Kernel {
  raw(
    at: number,
    blocks: number,
    c0: number,
    c1: number,
    c2: number,
    c3: number,
    k0: number,
    k1: number,
  ): void;
  uniform(at: number, words: number): void;
  normal(at: number, words: number): void;
  gumbel(at: number, words: number): void;
  binarise(pixels: number, draws: number, out: number, count: number): void;
}

/** The kernel works on eight words at a time; what it writes past `count` nobody reads. */
const whole = (count: number): number => Math.ceil(count / 8) * 8;

/** Compiles and opens the kernel, under a millisecond. */
export function openEngine(): Engine {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const bytes = Uint8Array.from(atob(WASM), (c) => c.charCodeAt(0));
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  const kernel = instance.exports as unknown as Kernel;
  const pixels = new Uint8Array(memory.buffer, CAPACITY * 2, CAPACITY); // behind the draws, two bytes a pixel
  const binary = new Float32Array(memory.buffer, CAPACITY * 3, CAPACITY);
  return {
    words: new Uint32Array(memory.buffer, 0, CAPACITY),
    floats: new Float32Array(memory.buffer, 0, CAPACITY),
    raw: (blocks, [c0, c1, c2, c3], [k0, k1]) => kernel.raw(0, blocks, c0, c1, c2, c3, k0, k1),
    uniform: (count) => kernel.uniform(0, whole(count)),
    normal: (count) => kernel.normal(0, whole(count)),
    gumbel: (count) => kernel.gumbel(0, whole(count)),
    binarise: (given) => {
      pixels.set(given);
      kernel.binarise(pixels.byteOffset, 0, binary.byteOffset, Math.ceil(given.length / 16) * 16);
      return binary.subarray(0, given.length);
    },
  };
}
