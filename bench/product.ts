/** The measure of this machine: a product of 1024 × 1024 matrices by ONNX Runtime. */
import { input, matmul, toOnnx } from '../src/graph/index.ts';
import { nodeRuntime } from '../src/runtime/node.ts';

const SIZE = 1024;

/** Billions of floating-point operations of one product. */
export const PRODUCT_GFLOP = (2 * SIZE ** 3) / 1e9;

export interface Product {
  readonly run: () => Promise<void>;
  readonly dispose: () => Promise<void>;
}

export async function openProduct(threads: number): Promise<Product> {
  const [a, b] = [input('a', [SIZE, SIZE]), input('b', [SIZE, SIZE])];
  const values = () => ({ data: new Float32Array(SIZE ** 2).fill(0.5), dims: [SIZE, SIZE] });
  const model = toOnnx({ y: matmul(a, b) }, { unread: true }); // as in training: no copy of what was written in place
  const session = await nodeRuntime({ threads }).session(model);
  return { run: session.bind({ a: values(), b: values() }, { y: values() }), dispose: session.dispose };
}
