/** Values for the inputs of a network under test. */
import { initialise, type Parameter } from '../../src/nn/index.ts';
import { type Feeds, value } from '../reference.ts';

/** Initial values by name; those that start at zero or one are moved by up to `by`, so that nothing is hidden behind them. */
export function parameterFeeds(all: readonly Parameter[], seed: number, by = 0.05): Feeds {
  const feeds = all.map((p) => {
    const data = new Float32Array(p.shape.reduce((a, b) => a * b, 1));
    initialise(p, data, seed);
    const flat = data.every((v) => v === data[0]);
    return [p.name, value(flat ? data.map((v, i) => v + by * Math.sin(i + 1)) : data, p.shape)] as const;
  });
  return Object.fromEntries(feeds);
}
