/** Where batches come from, in words that know neither files nor schemas. */

/** One batch, not yet in model space. */
export interface Minibatch {
  readonly count: number;
  /** Writes the batch to the front of the buffers; randomness is keyed by the step. */
  readonly fill: (into: BatchArrays, step: number) => void;
  /** Begins with the batch that comes after this one, as that of `step`: called once the engine rests. */
  readonly prepare?: (step: number) => void;
}

/** What a batch is written to; what a model has none of is empty. */
export interface BatchArrays {
  readonly x: Float32Array; // [count, …shape]
  readonly mask: Float32Array; // [count, parts]
  readonly condition: Float32Array; // [count, C]
}

export interface BatchSource {
  readonly rows: number;
  /** The batches of an epoch, the first `skip` left out; always the same for the same epoch. */
  readonly batches: (epoch: number, skip: number) => AsyncIterable<Minibatch>;
}
