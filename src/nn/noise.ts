/** Randomness is an input of the graph: noise is declared by whoever needs it, and found again in the finished graph. */
import { input, type Shape, type Tensor } from '../graph/index.ts';
import type { Stream } from '../random/index.ts';

/** What fills a noise input, by the method of `Stream`. */
export type NoiseLaw = 'normal' | 'uniform' | 'gumbel';

export interface NoiseInput {
  readonly name: string;
  readonly law: NoiseLaw;
  readonly shape: Shape;
}

/** An input of the graph, filled anew by its law for every run. Inputs of one name are one. */
export const noise = (name: string, law: NoiseLaw, shape: Shape): Tensor => ({
  ...input(name, shape),
  attributes: { law },
});

/** The noise that the graph of these outputs reads, by name. */
export function noisesOf(outputs: Readonly<Record<string, Tensor>>): NoiseInput[] {
  const found = new Map<string, NoiseInput>();
  const seen = new Set<Tensor>();
  const waiting = Object.values(outputs);
  for (let t = waiting.pop(); t; t = waiting.pop()) {
    if (seen.has(t)) continue;
    seen.add(t);
    if (t.op === 'Input' && 'law' in t.attributes)
      found.set(t.name!, { name: t.name!, law: t.attributes['law'] as NoiseLaw, shape: t.shape });
    waiting.push(...t.inputs, ...(t.value ? [t.value] : []));
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Fills one noise input whole. */
export const fillNoise = (law: NoiseLaw, random: Stream, out: Float32Array): void => random[law](out);
