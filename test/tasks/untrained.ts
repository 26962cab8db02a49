/** Models of data as they are before training: of any choices, and at once. */
import type { Table } from '../../src/choice.ts';
import { parseConfig, type TrainConfig } from '../../src/config/index.ts';
import { type OpenOptions, openDataset } from '../../src/data/index.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { createModel, type Model } from '../../src/tasks/model.ts';
import { make, type PosteriorFamily, type PriorFamily, posteriors, priors } from '../../src/vae/index.ts';
import { parameterFeeds } from '../nn/feeds.ts';

type Choices = Partial<Record<'network' | 'posterior' | 'prior', Record<string, unknown> & { kind: string }>>;

/** A model of the data as it is before training. */
export async function untrained(
  path: string,
  choices: Choices,
  given: Record<string, unknown> = {},
  open: OpenOptions = {},
): Promise<Model> {
  const { schema, close } = await openDataset(path, open);
  await close();
  const config = parseConfig({
    network: { kind: 'mlp', hidden: [6] },
    latent: 4,
    objective: { kind: 'elbo' },
    warmup: { kind: 'none' },
    optimizer: { kind: 'adam' },
    schedule: { kind: 'constant' },
    epochs: 1,
    batchSize: 10,
    seed: 0,
    ...given,
    ...choices,
  }) as TrainConfig;
  const parts = { name: 'untrained', config, schema, runtime: nodeRuntime({ threads: 1 }) };
  const { vae } = createModel({ ...parts, weights: {} });
  const feeds = parameterFeeds(vae.parameters, 1);
  const weights = Object.fromEntries(
    vae.parameters.map((p) => [p.name, Float32Array.from(feeds[p.name]!.data)]),
  );
  return createModel({ ...parts, weights });
}

export const families: Table<PosteriorFamily> = posteriors;
const priorFamilies: Table<PriorFamily> = priors;

/** The first prior over the same space. */
export const priorFor = (posterior: string): string =>
  Object.entries(priorFamilies).find(
    ([, entry]) => make(entry).space === make(families[posterior]!).space,
  )![0];

/** Where codes have a length of their own. */
export const LATENT: Readonly<Record<string, number>> = { gumbelSoftmax: 10, mixed: 12, fsq: 6, lfq: 7 };
