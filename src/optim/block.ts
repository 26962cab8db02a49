/** Where an optimiser finds its numbers: plain byte offsets, so that any memory layout will do. */

/** A run of floats, in floats from the start of a block; multiples of 16. */
export interface Run {
  readonly offset: number;
  readonly length: number;
  /** Whether weight decay applies: to matrices, not to biases and norms (Loshchilov & Hutter 2019 leave it open). */
  readonly decays: boolean;
}

/** Byte offsets of equally laid out blocks. Runs cover what is to be updated, in order. */
export interface Block {
  readonly params: number;
  readonly grads: number;
  /** As many as the optimiser's `slots`; zero before the first step. */
  readonly slots: readonly number[];
  readonly runs: readonly Run[];
}

/** Neighbouring tensors with the same answer join into one run: `decays[i]` is for the tensor at `offsets[i]`. */
export function runsOf(offsets: readonly number[], size: number, decays: readonly boolean[]): Run[] {
  const starts = offsets.map((_, i) => i).filter((i) => i === 0 || decays[i] !== decays[i - 1]);
  return starts.map((i, k) => {
    const next = starts[k + 1];
    const end = next === undefined ? size : offsets[next]!;
    return { offset: offsets[i]!, length: end - offsets[i]!, decays: decays[i]! };
  });
}
