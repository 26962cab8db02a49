/** What can this machine do of matrix products? 1024³ by ONNX Runtime, the best of many. npm run ts bench/peak.ts */
import { timed } from './interleave.ts';
import { openProduct, PRODUCT_GFLOP } from './product.ts';
import { writeResult } from './results.ts';

const rates: Record<string, number> = {};
for (const threads of [1, 2]) {
  const { run, dispose } = await openProduct(threads);
  rates[`threads ${threads}`] = PRODUCT_GFLOP / (Math.min(...(await timed(run, 5, 300))) / 1e3);
  await dispose();
}
for (const [name, rate] of Object.entries(rates)) console.log(`${name}: ${rate.toFixed(0)} GFLOP/s`);
writeResult('peak', { unit: 'GFLOP/s', ...rates });
