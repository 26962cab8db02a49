/** The part of steps.mjs that our own side shares with the peers. */

/** Promises the bytes of a file of the workload's folder. */
export type Read = (key: string) => Promise<ArrayBuffer>;

/** A workload as peers know it (protocol.py), in part. */
export interface Described {
  readonly shape: readonly number[];
  readonly parts: readonly {
    readonly field: string;
    readonly likelihood: 'bernoulli' | 'gaussian' | 'categorical';
    readonly start: number;
    readonly size: number;
  }[];
  readonly masked: boolean;
  readonly batch: number;
  readonly pixels: 'binary' | 'grey' | null;
}

export interface Trainer {
  check(shapes: Readonly<Record<string, unknown>>): Promise<{ readonly loss: number; readonly norm: number }>;
  step(): Promise<unknown>;
  dispose(): unknown;
}

export function floats(read: Read, key: string): Promise<Float32Array<ArrayBuffer>>;

export function filler(
  workload: Described,
  read: Read,
): Promise<(x: Float32Array, mask: Float32Array) => void>;

export function answering<Options, Workload>(
  open: (options: Options) => Promise<object>,
  trainer: (workload: Workload, read: Read) => Promise<Trainer>,
  readerOf: (folder: string) => Read,
): (command: object) => Promise<object>;
