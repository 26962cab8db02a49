/** Writes a graph as an ONNX model: live nodes only, common subexpressions once, names that lead back to the layer. */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import {
  type AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  ModelProtoSchema,
  type NodeProtoSchema,
  type TensorProtoSchema,
  type ValueInfoProtoSchema,
} from './proto/onnx_pb.ts';
import { type Shape, sameShape, showShape, sizeOf } from './shape.ts';
import { type Attribute, computed, type DType, type Tensor, topological } from './tensor.ts';

const OPSET = 18n;
const IR_VERSION = 8n;
const DATA_TYPES: Record<DType, DataType> = {
  float32: DataType.FLOAT,
  int64: DataType.INT64,
  bool: DataType.BOOL,
};

export interface OnnxOptions {
  /** Inputs to bake into the file as weights, by name; the rest stay inputs. */
  readonly weights?: Readonly<Record<string, Float32Array>>;
  /** Shown by tools that open the file. */
  readonly description?: string;
  /** Begin the outputs with an empty sequence, so that a session that fills our buffers makes no arrays (`src/runtime/adapt.ts`). */
  readonly unread?: boolean;
}

const UNREAD = 'unread';

/** The model that computes `outputs`. Its inputs are those that the outputs need. */
export function toOnnx(
  outputs: Readonly<Record<string, Tensor>>,
  { weights = {}, description = '', unread = false }: OnnxOptions = {},
): Uint8Array {
  const { node, output, ...rest } = emit(outputs, weights);
  const empty = unread ? [{ name: UNREAD, opType: 'SequenceEmpty', output: [UNREAD] }] : [];
  const first = unread ? [sequenceInfo(UNREAD)] : [];
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: IR_VERSION,
      producerName: 'elbo',
      opsetImport: [{ domain: '', version: OPSET }],
      graph: {
        name: 'elbo',
        docString: description,
        node: [...empty, ...node],
        output: [...first, ...output],
        ...rest,
      },
    }),
  );
}

type NodeInit = MessageInitShape<typeof NodeProtoSchema>;
type TensorInit = MessageInitShape<typeof TensorProtoSchema>;
type ValueInit = MessageInitShape<typeof ValueInfoProtoSchema>;

interface GraphParts {
  readonly node: NodeInit[];
  readonly input: ValueInit[];
  readonly initializer: TensorInit[];
  readonly output: ValueInit[];
}

/** Visits each distinct value once, in an order in which inputs come first. */
function emit(
  outputs: Readonly<Record<string, Tensor>>,
  weights: Readonly<Record<string, Float32Array>>,
): GraphParts {
  const parts: GraphParts = { node: [], input: [], initializer: [], output: [] };
  const names = new Map<Tensor, string>(); // tensor → the name of its value
  const seen = new Map<string, Tensor>(); // what computes a value → the first tensor of that value
  const places = new Map<string, Place>(); // name → where the value belongs
  const nameOf = (t: Tensor): string => names.get(computed(t))!;
  const roots = Object.values(outputs);
  const results = new Map(Object.entries(outputs).map(([name, t]) => [computed(t), name])); // named as outputs at once
  for (const t of topological(roots.map(computed), (n) => n.inputs.map(computed))) {
    const inputs = t.inputs.map(nameOf);
    const key = keyOf(t, inputs);
    const known = seen.get(key);
    if (known) {
      expectSame(known, t);
      names.set(t, names.get(known)!);
      continue;
    }
    const name = t.name ?? (t.op === 'Constant' ? undefined : results.get(t)) ?? `${t.op}_${seen.size}`;
    if (places.has(name)) throw new Error(`an input and another value of the graph have the name ${name}`);
    const place = placeOf(
      t,
      inputs.map((i) => places.get(i)!),
    );
    names.set(t, name);
    seen.set(key, t);
    places.set(name, place);
    write(parts, t, name, place.layer, inputs, weights);
  }
  for (const [name, t] of Object.entries(outputs)) {
    if (nameOf(t) !== name) {
      if (places.has(name)) throw new Error(`an output and another value of the graph have the name ${name}`);
      parts.node.push({ name: `output/${name}`, opType: 'Identity', input: [nameOf(t)], output: [name] });
    }
    parts.output.push(valueInfo(name, t.dtype, t.shape));
  }
  return parts;
}

function write(
  parts: GraphParts,
  t: Tensor,
  name: string,
  path: string,
  inputs: string[],
  weights: Readonly<Record<string, Float32Array>>,
): void {
  if (t.op === 'Constant') parts.initializer.push(tensorProto(name, t.dtype, t.shape, t.data!));
  else if (t.op !== 'Input') {
    const attribute = Object.entries(t.attributes).map(([key, value]) => attributeProto(key, value));
    parts.node.push({
      name: `${path || 'graph'}/${name}`,
      opType: t.op,
      input: inputs,
      output: t.op === 'TopK' ? [`${name}/values`, name] : [name], // of its two results the indices are wanted
      attribute,
    });
  } else if (weights[name]) parts.initializer.push(weightProto(name, t, weights[name]));
  else parts.input.push(valueInfo(name, t.dtype, t.shape));
}

function expectSame(a: Tensor, b: Tensor): void {
  if (a.op === 'Input' && (a.dtype !== b.dtype || !sameShape(a.shape, b.shape))) {
    const [x, y] = [a, b].map((t) => `${t.dtype} ${showShape(t.shape)}`);
    throw new Error(`two inputs have the name ${a.name}: ${x} and ${y}`);
  }
}

interface Place {
  /** `encoder.0`, or empty. */
  readonly layer: string;
  /** Computed from parameters and constants alone. */
  readonly fixed: boolean;
}

/** A value belongs to the layer whose parameters make it, else to that of the value it is made from. */
function placeOf(t: Tensor, inputs: readonly Place[]): Place {
  const own = layerOf(t.name ?? '');
  if (t.op === 'Input') return { layer: own, fixed: own !== '' };
  const fixed = inputs.filter((p) => p.fixed);
  const layer = [...fixed, ...inputs].find((p) => p.layer)?.layer ?? '';
  return { layer, fixed: fixed.length === inputs.length };
}

/** `encoder.0.weight` belongs to the layer `encoder.0`; inputs without a dot to none. */
const layerOf = (name: string): string => name.split('.').slice(0, -1).join('.');

/** Two tensors with one key have one value. */
function keyOf(t: Tensor, inputs: readonly string[]): string {
  if (t.op === 'Input') return `Input ${t.name}`;
  // the sizes of axes are the same wherever they are read
  if (t.op === 'Shape') return `Shape ${showShape(shapeRead(t))}`;
  if (t.data) return `Constant ${t.dtype} ${showShape(t.shape)} ${fingerprint(t.data)}`;
  return `${t.op} ${JSON.stringify(t.attributes)} ${inputs.join(' ')}`;
}

const shapeRead = ({ inputs: [x], attributes: { start, end } }: Tensor): Shape =>
  x!.shape.slice(start as number, end as number);

/** The bytes themselves where short, else a 53-bit hash (cyrb53) and the length. */
function fingerprint(data: Float32Array | BigInt64Array): string {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (bytes.length <= 256) return bytes.join(',');
  const words = new Uint32Array(data.buffer, data.byteOffset, data.byteLength / 4);
  let h1 = 0xdeadbeef;
  let h2 = 0x41c6ce57;
  for (const word of words) {
    h1 = Math.imul(h1 ^ word, 2654435761);
    h2 = Math.imul(h2 ^ word, 1597334677);
    h1 = (h1 << 13) | (h1 >>> 19);
    h2 = (h2 << 15) | (h2 >>> 17);
  }
  return `${data.length}:${h1}:${h2}`;
}

const valueInfo = (name: string, dtype: DType, shape: Shape): ValueInit => ({
  name,
  type: {
    value: {
      case: 'tensorType',
      value: { elemType: DATA_TYPES[dtype], shape: { dim: shape.map(dimension) } },
    },
  },
});

/** Of tensors of floats. */
const sequenceInfo = (name: string): ValueInit => ({
  name,
  type: {
    value: {
      case: 'sequenceType',
      value: { elemType: { value: { case: 'tensorType', value: { elemType: DataType.FLOAT } } } },
    },
  },
});

const dimension = (dim: Shape[number]) =>
  typeof dim === 'number'
    ? { value: { case: 'dimValue' as const, value: BigInt(dim) } }
    : { value: { case: 'dimParam' as const, value: dim } };

function weightProto(name: string, t: Tensor, data: Float32Array): TensorInit {
  if (data.length !== sizeOf(t.shape))
    throw new Error(`weights of ${name}: ${data.length} values given for shape ${showShape(t.shape)}`);
  return tensorProto(name, t.dtype, t.shape, data);
}

const tensorProto = (
  name: string,
  dtype: DType,
  shape: Shape,
  data: Float32Array | BigInt64Array,
): TensorInit => ({
  name,
  dataType: DATA_TYPES[dtype],
  dims: shape.map((d) => BigInt(d as number)),
  rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
});

function attributeProto(name: string, value: Attribute): MessageInitShape<typeof AttributeProtoSchema> {
  if (typeof value === 'number') return { name, type: AttributeType.INT, i: BigInt(value) };
  if (typeof value === 'string')
    return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  if ('float' in value) return { name, type: AttributeType.FLOAT, f: value.float };
  return { name, type: AttributeType.INTS, ints: value.map(BigInt) };
}
