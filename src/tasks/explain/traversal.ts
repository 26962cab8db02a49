/** Rows or pictures along each dimension of z, from the code of one row. */
import { conditionFields, type Rows, takeRows } from '../../data/index.ts';
import { scaledDistance } from '../../metrics/index.ts';
import { decode } from '../decode.ts';
import type { Model } from '../model.ts';
import type { Dimension } from './dimensions.ts';
import type { RowExplanation } from './rows.ts';
import type { Seen } from './seen.ts';
import type { Walk } from './walk.ts';

export interface Traversal {
  /** The row whose code is moved. */
  readonly from: number;
  /** Names of the dimensions, one after the other in `rows`. */
  readonly dimensions: readonly string[];
  /** Steps of each: standard deviations of the aggregated posterior from its mean. */
  readonly sigmas: readonly number[];
  /** zⱼ at each row. */
  readonly z: Float64Array;
  /** Means of p(x|z), dimensions × steps. */
  readonly rows: Rows;
}

/** A code to start from, with what its row is given. */
export interface Start {
  readonly row: number;
  readonly code: Float32Array;
  readonly given: Rows | undefined;
  /** Whether it was chosen for being near the mean of all. */
  readonly typical: boolean;
}

/** A row that was asked for. */
export const startAt = ({ row, code, given }: RowExplanation): Start => ({
  row,
  code,
  given,
  typical: false,
});

/** The row whose code is nearest to the mean of all. */
export function typicalRow(model: Model, { ids, codes, spread, given, count }: Seen): Start {
  const codeOf = (i: number) => codes.data.subarray(i * codes.width, (i + 1) * codes.width) as Float32Array;
  let [best, least] = [0, Number.POSITIVE_INFINITY];
  for (let i = 0; i < count; i++) {
    const distance = scaledDistance(codeOf(i), spread.mean, spread.deviation);
    if (distance < least) [best, least] = [i, distance];
  }
  return {
    row: ids[best]!,
    code: codeOf(best),
    given: given && takeRows(conditionFields(model.schema), given, [best]),
    typical: true,
  };
}

export async function traverse(
  model: Model,
  { row, code, given }: Start,
  dimensions: readonly Dimension[],
  { span, steps, walk }: { readonly span: number; readonly steps: number; readonly walk: Walk },
): Promise<Traversal> {
  const sigmas = Array.from({ length: steps }, (_, s) => span * ((2 * s) / (steps - 1) - 1));
  const width = code.length;
  const count = dimensions.length * steps;
  const z = new Float32Array(count * width);
  const own = new Float64Array(count);
  dimensions.forEach(({ index, mean, deviation }, d) => {
    for (const [s, sigma] of sigmas.entries()) {
      const at = d * steps + s;
      const one = z.subarray(at * width, (at + 1) * width);
      one.set(code);
      walk.move(one, index, mean + sigma * deviation);
      own[at] = one[index]!;
    }
  });
  const conditions = given && takeRows(conditionFields(model.schema), given, new Int32Array(count));
  return {
    from: row,
    dimensions: dimensions.map(({ name }) => name),
    sigmas,
    z: own,
    rows: await decode(model, z, conditions ? { conditions } : {}),
  };
}
