/** The training rows whose codes are nearest to those of given rows: one pass, and nothing kept but what is nearest. */
import {
  type Batch,
  concatRows,
  type Dataset,
  modelFields,
  type Rows,
  type Split,
  takeRows,
} from '../../data/index.ts';
import {
  angleBetween,
  euclideanDistance,
  hyperbolicDistance,
  nearest,
  scaledDistance,
} from '../../metrics/index.ts';
import type { Space } from '../../vae/index.ts';
import { encodeBatch } from '../encode.ts';
import type { Tell } from '../evaluate/subject.ts';
import type { Model } from '../model.ts';
import { batchesOf, countRows } from '../rows.ts';

export interface Neighbour {
  /** Its number in the data, from 0. */
  readonly row: number;
  readonly distance: number;
  /** Where the data has labels beside the fields. */
  readonly label?: string;
  /** Whether all its values are those of the row that is explained. */
  readonly isSame: boolean;
}

export interface Neighbourhood {
  readonly neighbours: readonly Neighbour[];
  /** Their values, in this order. */
  readonly rows: Rows;
}

/** A row that neighbours are looked for. */
export interface Query {
  /** Its number, where it is a row of the data that is searched: it is left out. */
  readonly row: number | undefined;
  readonly code: Float32Array;
  /** Itself. */
  readonly values: Rows;
}

type Distance = (a: Float32Array, b: Float32Array) => number;

/** How far apart codes are, and that in words. `deviation` is that of the aggregated posterior. */
export function distanceIn(
  space: Space,
  deviation: Float64Array,
): { readonly distance: Distance; readonly words: string } {
  switch (space) {
    case 'real':
    case 'mixed':
      return {
        distance: (a, b) => scaledDistance(a, b, deviation),
        words: 'Euclidean, each dimension in standard deviations of the aggregated posterior',
      };
    case 'sphere':
      return { distance: angleBetween, words: 'the angle between codes, radians' };
    case 'ball':
      return { distance: hyperbolicDistance, words: 'hyperbolic' };
    case 'codes':
      return { distance: euclideanDistance, words: 'Euclidean' };
  }
}

const READ = 500;

export interface SearchOptions {
  readonly splits: readonly Split[];
  /** Neighbours of each row. */
  readonly most: number;
  readonly distance: Distance;
  readonly seed: number;
}

export async function neighboursOf(
  model: Model,
  data: Dataset,
  queries: readonly Query[],
  { splits, most, distance, seed }: SearchOptions,
  tell: Tell,
): Promise<Neighbourhood[]> {
  const fields = modelFields(model.schema);
  const keepers = queries.map(() => nearest<{ row: number; values: Rows }>(most));
  const { latent } = model.vae.spec;
  const total = countRows(data, splits);
  let done = 0;
  for await (const batch of batchesOf(data, splits, READ)) {
    const { mean } = await encodeBatch(model, batch, seed);
    queries.forEach(({ row, code }, q) => {
      for (let i = 0; i < batch.ids.length; i++)
        if (batch.ids[i] !== row)
          keepers[q]!.offer(distance(code, mean.subarray(i * latent, (i + 1) * latent)), () => ({
            row: batch.ids[i]!,
            values: oneRow(model, batch, i),
          }));
    });
    tell({ stage: 'nearest rows', done: (done += batch.ids.length), total });
  }
  return keepers.map((keeper, q) => {
    const found = keeper.found();
    return {
      neighbours: found.map(({ distance: d, item: { row, values } }) => ({
        row,
        distance: d,
        ...labelOf(data, row),
        isSame: isSame(values, queries[q]!.values),
      })),
      rows:
        found.length > 0
          ? concatRows(
              fields,
              found.map(({ item }) => item.values),
            )
          : { count: 0, columns: [] },
    };
  });
}

export function labelOf({ labels }: Pick<Dataset, 'labels'>, row: number): { readonly label?: string } {
  const label = labels?.names[labels.codes[row]!];
  return label === undefined ? {} : { label };
}

export const oneRow = ({ schema }: Pick<Model, 'schema'>, { rows, index }: Batch, i: number): Rows =>
  takeRows(modelFields(schema), rows, [index[i]!]);

/** Two rows by themselves; gaps are the same as gaps. */
const isSame = (a: Rows, b: Rows): boolean =>
  a.columns.every((column, j) => column.every((v, i) => Object.is(v, b.columns[j]![i])));
