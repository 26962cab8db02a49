/** Where batches come from, in words that know neither files nor schemas. */

/** One batch, not yet in model space. */
export interface Minibatch {
  readonly count: number;
  /** Writes x [count, …shape] and the mask [count, parts] to the front of the buffers; randomness is keyed by the step. */
  readonly fill: (into: { readonly x: Float32Array; readonly mask: Float32Array }, step: number) => void;
}

export interface BatchSource {
  readonly rows: number;
  /** The batches of an epoch, the first `skip` left out; always the same for the same epoch. */
  readonly batches: (epoch: number, skip: number) => AsyncIterable<Minibatch>;
}
