/** What can this machine do of matrix products? 1024³ by ONNX Runtime, the best of many. npx tsx bench/peak.ts */
import { input, matmul, toOnnx } from '../src/graph/index.ts';
import { nodeRuntime } from '../src/runtime/node.ts';
import { timed } from './interleave.ts';
import { writeResult } from './results.ts';

const SIZE = 1024;
const [a, b] = [input('a', [SIZE, SIZE]), input('b', [SIZE, SIZE])];
const values = () => ({ data: new Float32Array(SIZE ** 2).fill(0.5), dims: [SIZE, SIZE] });

const rates: Record<string, number> = {};
for (const threads of [1, 2]) {
  const session = await nodeRuntime({ threads }).session(toOnnx({ y: matmul(a, b) }));
  const times = await timed(session.bind({ a: values(), b: values() }, { y: values() }), 5, 300);
  rates[`threads ${threads}`] = (2 * SIZE ** 3) / Math.min(...times) / 1e6;
  await session.dispose();
}
for (const [name, rate] of Object.entries(rates)) console.log(`${name}: ${rate.toFixed(0)} GFLOP/s`);
writeResult('peak', { unit: 'GFLOP/s', ...rates });
