/** Tiny ONNX models, written without the graph module, that the runtime tests run. */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import {
  ModelProtoSchema,
  type NodeProtoSchema,
  TensorProto_DataType,
  type ValueInfoProtoSchema,
} from '../../src/graph/proto/onnx_pb.ts';

type Node = MessageInitShape<typeof NodeProtoSchema>;
type Dims = readonly (number | string)[];

const valueInfo = ([name, dims]: [string, Dims]): MessageInitShape<typeof ValueInfoProtoSchema> => {
  const dim = dims.map((d) => ({
    value:
      typeof d === 'string'
        ? { case: 'dimParam' as const, value: d }
        : { case: 'dimValue' as const, value: BigInt(d) },
  }));
  return {
    name,
    type: { value: { case: 'tensorType', value: { elemType: TensorProto_DataType.FLOAT, shape: { dim } } } },
  };
};

/** A float32 model; strings among dimensions are symbolic. */
export const model = (
  inputs: Record<string, Dims>,
  outputs: Record<string, Dims>,
  node: Node[],
): Uint8Array =>
  toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [{ domain: '', version: 18n }],
      graph: {
        name: 'test',
        node,
        input: Object.entries(inputs).map(valueInfo),
        output: Object.entries(outputs).map(valueInfo),
      },
    }),
  );

/** y = x·w with gradients, for a loss of ½ Σ y²: loss, and dw = xᵀ y. */
export const linearStep = (features: number, width: number): Uint8Array =>
  model({ x: ['B', features], w: [features, width] }, { loss: [1, 1], dw: [features, width] }, [
    { opType: 'MatMul', name: 'encoder.0/MatMul_1', input: ['x', 'w'], output: ['y'] },
    { opType: 'Mul', name: 'loss/Mul_2', input: ['y', 'y'], output: ['square'] },
    { opType: 'ReduceSum', name: 'loss/ReduceSum_3', input: ['square'], output: ['loss'] },
    { opType: 'Transpose', name: 'encoder.0/Transpose_4', input: ['x'], output: ['xt'] },
    { opType: 'MatMul', name: 'encoder.0/MatMul_5', input: ['xt', 'y'], output: ['dw'] },
  ]);

/** y = a·b of any sizes, so that only running it shows a misfit. */
export const anyProduct = (): Uint8Array =>
  model({ a: ['M', 'K'], b: ['L', 'N'] }, { y: ['M', 'N'] }, [
    { opType: 'MatMul', name: 'decoder.3/MatMul_7', input: ['a', 'b'], output: ['y'] },
  ]);
