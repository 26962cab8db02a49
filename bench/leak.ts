/** Does memory stay flat over a long training and many sessions? npm run ts -- bench/leak.ts [steps] [sessions] */
import { createAndSample, type Sample, trainAndSample } from '../test/runtime/memory.ts';

const [steps = 20_000, sessions = 500] = process.argv.slice(2).map(Number);

const show = (unit: string, samples: readonly Sample[]): void => {
  for (const { done, rss, heap } of samples)
    console.log(`${unit} ${done}: rss ${(rss / 1e6).toFixed(1)} MB, heap ${(heap / 1e6).toFixed(2)} MB`);
};

show('step', await trainAndSample(steps));
show('session', await createAndSample(sessions));
