/** Symbolic tensors, ops with their gradients, and the ONNX writer. */
export * from './conv.ts';
export * from './elementwise.ts';
export * from './gather.ts';
export * from './gradients.ts';
export * from './matmul.ts';
export * from './move.ts';
export * from './normalise.ts';
export * from './onnx.ts';
export type { ConvOptions } from './patches.ts';
export * from './pool.ts';
export * from './reduce.ts';
export * from './shape.ts';
export * from './special.ts';
export * from './tensor.ts';
export { type ConvTransposeOptions, convTranspose } from './transposed-conv.ts';
export * from './triangular.ts';
