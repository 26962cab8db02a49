/** One Session for both builds of ONNX Runtime, which share a JavaScript interface and differ in what they do with fetches. */
import type { Session, Value, Values } from './session.ts';

/** The part of an ONNX Runtime tensor used here. */
export interface EngineTensor {
  readonly data: unknown;
  readonly dims: readonly number[];
  dispose(): void;
}

type Tensors = Record<string, EngineTensor>;
type Fetches = Record<string, EngineTensor | null>; // null: an array made anew
type Metadata = { readonly name: string; readonly isTensor: boolean; readonly type?: string };

/** The part of an ONNX Runtime session used here. */
export interface EngineSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly inputMetadata: readonly Metadata[];
  readonly outputMetadata: readonly Metadata[];
  run(feeds: Tensors, fetches?: readonly string[] | Fetches): Promise<Tensors>;
  endProfiling(): void;
  release(): Promise<void>;
}

export interface Engine {
  tensor(type: string, data: Value['data'], dims: readonly number[]): EngineTensor;
  /** Whether `run` writes into the tensors given as fetches. The web build leaves them as they are and says nothing. */
  readonly fillsFetches: boolean;
}

/** Loads with `create` and wraps; every error names the model's node. */
export async function openSession(
  engine: Engine,
  create: () => Promise<EngineSession>,
  profiled: boolean,
): Promise<Session> {
  const session = await naming('loading the model', create);
  const types = new Map(
    [...session.inputMetadata, ...session.outputMetadata].map((m) => [m.name, m.type ?? 'float32']),
  );
  const tensors = (values: Values): Tensors => {
    const entries = Object.entries(values);
    return Object.fromEntries(entries.map(([name, v]) => [name, toTensor(engine, types, name, v)]));
  };
  let isProfiling = profiled;
  const endProfile = () => {
    if (isProfiling) session.endProfiling();
    isProfiling = false;
  };
  return {
    inputs: session.inputNames,
    outputs: session.outputNames,
    run: (feeds, fetches) =>
      naming('running the model', async () => read(await session.run(tensors(feeds), fetches))),
    bind: (feeds, outputs) => {
      const call = (engine.fillsFetches ? filling : copying)(
        session,
        tensors(feeds),
        tensors(outputs),
        outputs,
      );
      return () => naming('running the model', call);
    },
    endProfile,
    dispose: async () => {
      endProfile();
      await session.release();
    },
  };
}

const ARRAYS: Record<string, string> = {
  float32: 'Float32Array',
  int64: 'BigInt64Array',
  int32: 'Int32Array',
  uint8: 'Uint8Array',
  bool: 'Uint8Array',
};

function toTensor(
  engine: Engine,
  types: Map<string, string>,
  name: string,
  { data, dims }: Value,
): EngineTensor {
  const type = types.get(name);
  if (!type)
    throw new Error(`the model has no input or output "${name}"; it has ${[...types.keys()].join(', ')}`);
  const given = data.constructor.name;
  if (ARRAYS[type] !== given)
    throw new Error(`"${name}" is ${type} in the model: expected ${ARRAYS[type]}, given ${given}`);
  const size = dims.reduce((a, b) => a * b, 1);
  if (size !== data.length)
    throw new Error(`"${name}" of shape [${dims}] wants ${size} values, given ${data.length}`);
  return engine.tensor(type, data, dims);
}

/** Values out of the engine's tensors, which for processors' memory own nothing more than the array. */
const read = (tensors: Tensors): Record<string, Value> =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, { data, dims }]) => [name, { data: data as Value['data'], dims }]),
  );

/**
 * The Node build fills the fetches and then, all the same, copies every output into an array made anew, in the order of the
 * outputs; V8, seeing megabytes of them a step, collects its whole heap several times a second. It stops with an error where it
 * comes to an output that is no tensor, so a model that begins with one has no copies made. Without that output, or with a build
 * that can return it, all is as right and slower.
 */
function filling(session: EngineSession, feeds: Tensors, fetches: Tensors): () => Promise<void> {
  const unread = session.outputMetadata.filter(({ isTensor }) => !isTensor);
  const all: Fetches = { ...Object.fromEntries(unread.map(({ name }) => [name, null])), ...fetches };
  return async () => {
    try {
      await session.run(feeds, all);
    } catch (cause) {
      if (!(unread.length > 0 && cause instanceof Error && cause.message.startsWith(NOT_RETURNED)))
        throw cause;
    }
  };
}

const NOT_RETURNED = 'Non tensor type';

function copying(
  session: EngineSession,
  feeds: Tensors,
  fetches: Tensors,
  outputs: Values,
): () => Promise<void> {
  const names = Object.keys(fetches);
  return async () => {
    const results = await session.run(feeds, names);
    for (const name of names) {
      copy(name, results[name]!, outputs[name]!);
      results[name]!.dispose();
    }
  };
}

function copy(name: string, { data, dims }: EngineTensor, to: Value): void {
  if (dims.join() !== to.dims.join())
    throw new Error(`output "${name}" has shape [${dims}], its buffer has shape [${to.dims}]`);
  if (to.data instanceof BigInt64Array) to.data.set(data as BigInt64Array);
  else to.data.set(data as Float32Array);
}

// Where ONNX Runtime names a node: while running, while inferring shapes, while checking the model.
const NODE = [/Name:'([^']+)'/, /Node \(([^)]+)\)/, /In Node, \("([^"]+)"/, /node with name '([^']+)'/];

/** Runs `f`; what it throws becomes an Error that starts with the node's name, which holds the layer's path. */
async function naming<T>(doing: string, f: () => Promise<T>): Promise<T> {
  try {
    return await f();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    const node = NODE.map((pattern) => pattern.exec(message)?.[1]).find((name) => name);
    throw new Error(`${node ? `${node}: ` : ''}ONNX Runtime failed ${doing}: ${message}`, { cause });
  }
}
