/** Normal numbers without their tails. */
import type { Stream } from './stream.ts';

const ROUND = 64; // numbers drawn at a time in place of those that are too large

/** A stream whose normal numbers are drawn anew while they are further than `most` from 0 (Brock et al. 2019, section 3.1). */
export function truncated(stream: Stream, most: number): Stream {
  const spare = new Float32Array(ROUND);
  let used = ROUND;
  const next = (): number => {
    if (used === ROUND) {
      stream.normal(spare);
      used = 0;
    }
    return spare[used++]!;
  };
  return {
    ...stream,
    normal: (out) => {
      stream.normal(out);
      for (let i = 0; i < out.length; i++) while (Math.abs(out[i]!) > most) out[i] = next();
    },
  };
}
