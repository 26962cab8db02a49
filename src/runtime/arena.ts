/** The arena: parameters, gradients and optimiser state in one WebAssembly memory that engine and kernels share without copies. */

import { UserError } from '../errors.ts';

const LINE = 64; // bytes: a cache line, and the widest vector
const PAGE = 65_536;
const MOST_PAGES = 65_536; // 4 GiB, the reach of a 32-bit address
const BASE = 1024; // bytes left free for a kernel's own use

export interface Arena {
  readonly memory: WebAssembly.Memory;
  readonly blocks: number;
  /** Floats in a block, padding included: a multiple of 16. Padding is zero and stays zero. */
  readonly size: number;
  /** Floats of each tensor. */
  readonly lengths: readonly number[];
  /** Floats from the start of a block to each tensor: multiples of 16. */
  readonly offsets: readonly number[];
  /** Where a block starts, in bytes. */
  byteOffset(block: number): number;
  /** One tensor of a block. */
  view(block: number, tensor: number): Float32Array<ArrayBuffer>;
  /** A whole block, padding included: the flat parameters or the flat gradient. */
  whole(block: number): Float32Array<ArrayBuffer>;
}

/** `blocks` equal blocks, each with all tensors back to back, zeroed. Which block means what is the caller's. */
export function createArena(lengths: readonly number[], blocks: number): Arena {
  const { offsets, size } = layOut(lengths);
  const pages = Math.ceil((BASE + blocks * size * 4) / PAGE);
  if (pages > MOST_PAGES) {
    const most = Math.floor((MOST_PAGES * PAGE - BASE) / (4 * blocks));
    throw tooLarge(lengths, blocks, `4 GiB are the most, ${inWords(most)} parameters`);
  }
  const memory = allocate(pages);
  if (!memory) throw tooLarge(lengths, blocks, 'so much memory is not free');
  const byteOffset = (block: number): number => {
    if (!(block >= 0 && block < blocks)) throw new RangeError(`block ${block} of ${blocks}`);
    return BASE + block * size * 4;
  };
  return {
    memory,
    blocks,
    size,
    lengths,
    offsets,
    byteOffset,
    view: (block, tensor) =>
      new Float32Array(memory.buffer, byteOffset(block) + offsets[tensor]! * 4, lengths[tensor]),
    whole: (block) => new Float32Array(memory.buffer, byteOffset(block), size),
  };
}

/** Undefined where the system does not give it. */
function allocate(pages: number): WebAssembly.Memory | undefined {
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch {
    return undefined;
  }
}

function tooLarge(lengths: readonly number[], blocks: number, limit: string): UserError {
  const parameters = lengths.reduce((a, b) => a + b, 0);
  return new UserError(
    `the model is too large to train: ${inWords(parameters)} parameters, ${blocks} numbers for each (its value, ` +
      `its gradient, the optimiser's), take ${((parameters * blocks * 4) / 2 ** 30).toFixed(1)} GiB, and ${limit}. ` +
      'Choose fewer or narrower layers, as with a smaller --hidden',
  );
}

const inWords = (n: number): string => `${(n / 1e6).toFixed(0)} million`;

function layOut(lengths: readonly number[]): { offsets: number[]; size: number } {
  let size = 0;
  const offsets = lengths.map((length) => {
    const offset = size;
    size += Math.ceil((length * 4) / LINE) * (LINE / 4);
    return offset;
  });
  return { offsets, size };
}
