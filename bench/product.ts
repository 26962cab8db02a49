/** The measure of this machine: a product of 1024 × 1024 matrices by ONNX Runtime. */
import { input, matmul, toOnnx } from '../src/graph/index.ts';
import { nodeRuntime } from '../src/runtime/node.ts';
import { type Case, type InterleaveOptions, interleave, type Timing, timed } from './interleave.ts';

const SIZE = 1024;

/** Billions of floating-point operations of one product. */
const PRODUCT_GFLOP = (2 * SIZE ** 3) / 1e9;

async function openProduct(threads: number) {
  const [a, b] = [input('a', [SIZE, SIZE]), input('b', [SIZE, SIZE])];
  const values = () => ({ data: new Float32Array(SIZE ** 2).fill(0.5), dims: [SIZE, SIZE] });
  const session = await nodeRuntime({ threads }).session(toOnnx({ y: matmul(a, b) }));
  return { run: session.bind({ a: values(), b: values() }, { y: values() }), dispose: session.dispose };
}

/**
 * One timing for each case, and what the machine made of the product in the same minutes, which takes turns with them: GFLOP/s by
 * the median, as steps are.
 */
export async function interleaveBesideProduct(
  cases: readonly Case[],
  options: InterleaveOptions,
  threads: number,
): Promise<{ readonly timings: Timing[]; readonly peak: number }> {
  const { run, dispose } = await openProduct(threads);
  try {
    const product: Case = { block: (warm, count) => timed(run, warm, count) };
    const timings = await interleave([...cases, product], options);
    return { timings: timings.slice(0, -1), peak: PRODUCT_GFLOP / (timings.at(-1)!.median / 1e3) };
  } finally {
    await dispose();
  }
}
