/** `explain`: what the dimensions of z do to the data, and what the model makes of single rows. */
import type { Dataset, Split } from '../data/index.ts';
import { UserError } from '../errors.ts';
import { drawSubject, rowsInWords, type Tell } from './evaluate/subject.ts';
import { type Dimension, type DimensionFindings, dimensionFindings } from './explain/dimensions.ts';
import { distanceIn } from './explain/neighbours.ts';
import { type Located, locate, type RowExplanation, type RowOptions, rowFindings } from './explain/rows.ts';
import { type Seen, seenBy } from './explain/seen.ts';
import { type Start, startAt, type Traversal, traverse, typicalRow } from './explain/traversal.ts';
import { type Walk, walkOf } from './explain/walk.ts';
import type { Model } from './model.ts';
import { countRows, isTrainingData, openFor, type SplitName, splitsFor } from './rows.ts';

export interface ExplainOptions {
  /** Rows that codes are of and others are compared with; of the data the model was trained on, else all. */
  readonly split?: SplitName;
  /** At most so many of them, drawn at random. */
  readonly rows?: number;
  /** Dimensions whose effects are looked for, those with most KL; 0 leaves them out. */
  readonly dimensions?: number;
  /** How far a dimension is moved to both sides, in standard deviations of the aggregated posterior. */
  readonly span?: number;
  /** Rows or pictures of a traversal. */
  readonly steps?: number;
  /** Numbers of rows to explain, from 0, as `encode` has them. Traversals start from the first of them. */
  readonly row?: readonly number[];
  /** Nearest training rows of each; 0 leaves them out. */
  readonly neighbours?: number;
  /** Data whose training rows are searched; without it the data itself. */
  readonly among?: string;
  /** Draws of z that a row's ELBO is a mean over. */
  readonly samples?: number;
  readonly seed?: number;
  readonly progress?: Tell;
}

export type Topic = 'dimensions' | 'traversal' | 'rows' | 'nearest';

export interface Explanation {
  /** Rows looked at. */
  readonly rows: number;
  /** Findings about the data, in plain words: what could not be read. */
  readonly notes: readonly string[];
  /** The one that says most first. */
  readonly dimensions: readonly Dimension[];
  readonly order?: DimensionFindings['order'];
  readonly span: number;
  readonly traversal?: Traversal;
  /** Of the rows that were asked for. */
  readonly explained: readonly RowExplanation[];
  /** How each part was made. */
  readonly protocols: Readonly<Partial<Record<Topic, string>>>;
  /** What this model has nothing of, and why. */
  readonly absent: Readonly<Partial<Record<Topic, string>>>;
}

const DEFAULTS: Setting = {
  split: 'test',
  row: [],
  progress: () => {},
  rows: 1000,
  dimensions: 20,
  span: 2,
  steps: 9,
  neighbours: 5,
  samples: 100,
  seed: 0,
};

export async function explain(
  model: Model,
  path: string,
  options: ExplainOptions = {},
): Promise<Explanation> {
  const setting = settingOf(options);
  const data = await openFor(model, path);
  try {
    return await explainData(model, data, setting);
  } finally {
    await data.close();
  }
}

type Setting = Required<Omit<ExplainOptions, 'among'>> & Pick<ExplainOptions, 'among'>;

function settingOf(options: ExplainOptions): Setting {
  const asked = Object.entries(options).filter(([, value]) => value !== undefined);
  const setting: Setting = { ...DEFAULTS, ...Object.fromEntries(asked) };
  const least = { rows: 2, dimensions: 0, steps: 2, neighbours: 0, samples: 1 };
  for (const [name, from] of Object.entries(least)) {
    const value = setting[name as keyof typeof least];
    if (!(Number.isInteger(value) && value >= from))
      throw new UserError(`${name} ${value}: expected a whole number from ${from}`);
  }
  if (!(setting.span > 0 && setting.span <= 10))
    throw new UserError(`span ${setting.span}: expected a number of standard deviations above 0, up to 10`);
  return setting;
}

async function explainData(model: Model, data: Dataset, setting: Setting): Promise<Explanation> {
  const { split, rows, row, seed, progress } = setting;
  const splits = splitsFor(model, data, split);
  const located = await locate(model, data, row);
  const subject = await drawSubject(model, data, splits, { most: rows, seed });
  if (subject.count < 2)
    throw new UserError(`${data.name}: expected two rows or more to explain the model by`);
  const seen = await seenBy(model, subject, seed, progress);
  const explained = located.length > 0 ? await explainRows(model, data, { seen, located }, setting) : NO_ROWS;
  const [first] = explained.explained;
  const start = first ? startAt(first) : typicalRow(model, seen);
  const dimensions = await explainDimensions(model, seen, start, setting);
  return {
    rows: seen.count,
    notes: data.notes,
    span: setting.span,
    ...dimensions,
    explained: explained.explained,
    protocols: { ...dimensions.protocols, ...explained.protocols },
    absent: { ...dimensions.absent, ...explained.absent },
  };
}

const NO_ROWS = { explained: [], protocols: {}, absent: {} };

type DimensionPart = Pick<Explanation, 'dimensions' | 'order' | 'traversal' | 'protocols' | 'absent'>;

async function explainDimensions(
  model: Model,
  seen: Seen,
  start: Start,
  { dimensions: most, span, steps, progress }: Setting,
): Promise<DimensionPart> {
  const walk = most === 0 ? '--dimensions 0' : walkOf(model.vae, seen.parts.kl);
  if (typeof walk === 'string')
    return { dimensions: [], protocols: {}, absent: { dimensions: walk, traversal: walk } };
  const found = await dimensionFindings(model, seen, { span, most, walk }, progress);
  const shown = found.dimensions.slice(0, most);
  return {
    dimensions: found.dimensions,
    order: found.order,
    traversal: await traverse(model, start, shown, { span, steps, walk }),
    protocols: {
      dimensions: dimensionProtocol(seen, found, { span, walk }),
      traversal:
        `means of p(x|z) in ${steps} steps from −${span}σ to ${span}σ of each dimension, from the code of row ` +
        `${start.row}${start.typical ? ', the nearest to the mean of the codes' : ''}; ${walk.others}`,
    },
    absent: {},
  };
}

function dimensionProtocol(
  seen: Seen,
  { order, around }: DimensionFindings,
  { span, walk }: { readonly span: number; readonly walk: Walk },
): string {
  const first =
    order === 'KL'
      ? `Ordered by mean KL over ${rowsInWords(seen)}`
      : `Ordered by how much the fields move with them, there being no KL by dimension; codes of ${rowsInWords(seen)}`;
  return (
    `${first}. −${span}σ, ${span}σ: the mean of p(x|z) with the dimension that far from its mean, σ that of all codes (the aggregated ` +
    `posterior), averaged over the codes of ${around} of these rows (partial dependence, Friedman 2001); ${walk.others}. ` +
    'Slope: σ √(mean over these rows of (∂E[field]/∂z)²), at their own codes.'
  );
}

type RowPart = Pick<Explanation, 'explained' | 'protocols' | 'absent'>;

async function explainRows(
  model: Model,
  data: Dataset,
  { seen, located }: { readonly seen: Seen; readonly located: readonly Located[] },
  { neighbours, among: path, samples, seed, progress }: Setting,
): Promise<RowPart> {
  const other = path === undefined ? undefined : await openFor(model, path);
  try {
    const searched = other ?? data;
    const isTrained = isTrainingData(model, searched);
    const splits: readonly Split[] = isTrained ? ['train'] : splitsFor(model, searched, 'all');
    const among: RowOptions['among'] = { data: searched, splits, isSame: other === undefined };
    const explained = await rowFindings(model, seen, located, { samples, neighbours, seed, among }, progress);
    const { words } = distanceIn(model.vae.spec.posterior.space, seen.spread.deviation);
    const count = countRows(searched, splits).toLocaleString('en');
    const of = isTrained ? `${count} training rows` : `all ${count} rows of ${searched.name}`;
    return {
      explained,
      protocols: {
        rows:
          `means over ${samples} draws of z, seed ${seed}, in nats; their mean and rank (the share of rows where the term is lower) are ` +
          `over ${rowsInWords(seen)}, one draw each`,
        ...(neighbours > 0 && { nearest: `the nearest of ${of} by the means of q(z|x); distance: ${words}` }),
      },
      absent: {
        ...(neighbours === 0 && { nearest: '--neighbours 0' }),
        ...(!isTrained && neighbours > 0 && { nearest: NOT_TRAINED }),
      },
    };
  } finally {
    await other?.close();
  }
}

const NOT_TRAINED =
  'The rows searched are not those that the model was trained on: --among names the data that has them.';
