/** The arena: parameters, gradients and optimiser state in one WebAssembly memory that engine and kernels share without copies. */

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
  if (pages > MOST_PAGES)
    throw new RangeError(`${blocks} blocks of ${size} floats exceed the 4 GiB that WebAssembly can address`);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
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

function layOut(lengths: readonly number[]): { offsets: number[]; size: number } {
  let size = 0;
  const offsets = lengths.map((length) => {
    const offset = size;
    size += Math.ceil((length * 4) / LINE) * (LINE / 4);
    return offset;
  });
  return { offsets, size };
}
