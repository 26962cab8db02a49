/** Parameters that begin as training examples: what their initial values alone, drawn before any data are seen, cannot say. */
import type { Vae } from '../vae/index.ts';
import { createBuffers } from './buffers.ts';
import type { Learner, LearnerOptions } from './learner.ts';
import type { BatchSource } from './source.ts';

/** Writes the first training examples, in model space, where the prior asks for them; where there are too few they come again. */
export async function beginWithExamples(
  vae: Vae,
  { state }: Pick<Learner, 'state'>,
  source: BatchSource,
  { batchSize, initial }: Pick<LearnerOptions, 'batchSize' | 'initial'>,
): Promise<void> {
  const { examples } = vae.prior;
  if (!examples || initial?.[examples.parameter]) return;
  const rows = await firstRows(vae, source, batchSize, examples.count);
  const all = state();
  for (const kind of ['parameters', 'average'])
    all[`${kind}/${examples.parameter}`]?.forEach((_, i, into) => {
      into[i] = rows[i % rows.length]!;
    });
}

/** Up to `count` examples, flat. */
async function firstRows(
  { spec }: Vae,
  source: BatchSource,
  batchSize: number,
  count: number,
): Promise<Float32Array> {
  const width = spec.shape.reduce((a, b) => a * b, 1);
  const buffers = createBuffers(spec, [], batchSize);
  const rows = new Float32Array(Math.min(count, source.rows) * width);
  let filled = 0;
  for await (const batch of source.batches(0, 0)) {
    batch.fill(buffers, 0);
    const some = buffers.x.subarray(0, Math.min(batch.count * width, rows.length - filled));
    rows.set(some, filled);
    filled += some.length;
    if (filled === rows.length) break;
  }
  return rows;
}
