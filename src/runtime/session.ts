/** What a runtime offers, in words that neither Node nor the web appears in: sessions over ONNX models. */

/** A dense tensor, row-major. Booleans are bytes 0 and 1. */
export interface Value {
  readonly data: Float32Array | BigInt64Array | Int32Array | Uint8Array;
  readonly dims: readonly number[];
}
export type Values = Readonly<Record<string, Value>>;

/** One loaded model. A call blocks the thread until the result is there, though it returns a promise. */
export interface Session {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Fresh outputs, all or those named in `fetches`. */
  run(feeds: Values, fetches?: readonly string[]): Promise<Record<string, Value>>;
  /** Fixed buffers: each call reads what `feeds` then hold and leaves the results in `outputs`, in place. */
  bind(feeds: Values, outputs: Values): () => Promise<void>;
  /** Writes the profile, if there is one; calls after this are not in it. */
  endProfile(): void;
  /** Frees the engine's memory; the session cannot be used after. */
  dispose(): Promise<void>;
}

export interface SessionOptions {
  /** Collects a profile; on Node this is the prefix of the file, written by `endProfile` or `dispose`. */
  readonly profile?: string;
}

export interface Runtime {
  readonly kind: 'node' | 'web';
  readonly threads: number;
  /** `model` is a serialised ONNX ModelProto. */
  session(model: Uint8Array, options?: SessionOptions): Promise<Session>;
}
