/** Columns that a table of results has beside those of the data. */
import type { ModelField } from '../data/index.ts';

const common = { role: 'model', missing: true, missingShare: 0 } as const;
const numeric = {
  ...common,
  min: 0,
  max: 0,
  distinct: 0,
  likelihood: 'gaussian',
  transform: { kind: 'standard', mean: 0, sd: 1 },
} as const;

export const numberColumn = (name: string): ModelField => ({
  ...numeric,
  name,
  type: 'number',
  decimals: null,
});

export const integerColumn = (name: string): ModelField => ({ ...numeric, name, type: 'integer' });

/** `names` are what the codes 0, 1, … stand for. */
export const nameColumn = (name: string, names: readonly string[]): ModelField => ({
  ...common,
  name,
  type: 'category',
  categories: [...names],
  counts: names.map(() => 0),
  likelihood: 'categorical',
});
