/** The dimensions of z, those that say most first: what each costs, and what it does to the fields. */
import { conditionFields, takeRows } from '../../data/index.ts';
import { moveBetween, rootMeanSquare } from '../../metrics/index.ts';
import { ACTIVE } from '../../train/index.ts';
import type { Tell } from '../evaluate/subject.ts';
import type { Model } from '../model.ts';
import { type Effect, effectsOf, totalVariances } from './effects.ts';
import { periodOf, type ResponseOptions, responses, slopes, viewsOf } from './response.ts';
import type { Seen } from './seen.ts';
import { dimensionName, type Walk } from './walk.ts';

export interface Dimension {
  /** z_1, z_2 …: as `encode` calls them. */
  readonly name: string;
  /** From 0. */
  readonly index: number;
  /** Mean of KL(q(zⱼ|x) ‖ p(zⱼ)), nats; absent where it is only known as a whole. */
  readonly kl?: number;
  /** Whether that is above 0.01 nats. */
  readonly isActive?: boolean;
  /** Of the aggregated posterior, in units of z. */
  readonly mean: number;
  readonly deviation: number;
  /** The largest first; absent for all but the first dimensions. */
  readonly effects?: readonly Effect[];
  /** Of pictures: σ · the root mean square of ∂pixel/∂z over rows, of each pixel and channel. */
  readonly map?: Float64Array;
}

/** Rows around whose codes z is moved. */
const AROUND = 100;

export interface DimensionOptions {
  /** How far z is moved to both sides, in standard deviations of the aggregated posterior. */
  readonly span: number;
  /** Dimensions whose effects are looked for. */
  readonly most: number;
  readonly walk: Walk;
}

export interface DimensionFindings {
  readonly dimensions: readonly Dimension[];
  /** Rows that the effects are means over. */
  readonly around: number;
  /** What the dimensions are ordered by. */
  readonly order: 'KL' | 'sensitivity';
}

/** Codes that are moved, and what the decoder is asked with. */
interface Anchors extends ResponseOptions {
  readonly z: Float32Array;
  readonly count: number;
}

export async function dimensionFindings(
  model: Model,
  seen: Seen,
  { span, most, walk }: DimensionOptions,
  tell: Tell,
): Promise<DimensionFindings> {
  const anchors = anchorsOf(model, seen);
  const totals = totalVariances(anchors.views, model.schema, seen.rows);
  const all = Array.from({ length: walk.dimensions }, (_, j) => dimensionOf(seen, j));
  const hasKl = all.every(({ kl }) => kl !== undefined);
  const steepness = new Map<Dimension, Float64Array>();
  const steep = async (dimension: Dimension, done: number, total: number) => {
    steepness.set(dimension, await slopesOf(model, anchors, dimension, walk));
    tell({ stage: 'sensitivity', done: done + 1, total });
  };
  if (!hasKl) for (const [done, dimension] of all.entries()) await steep(dimension, done, all.length);
  const weight = (d: Dimension) => d.kl ?? relative(anchors, totals, steepness.get(d)!);
  const sorted = sortedBy(all, weight);
  const looked = sorted.slice(0, most);
  if (hasKl) for (const [done, dimension] of looked.entries()) await steep(dimension, done, looked.length);
  const found: Dimension[] = [];
  for (const dimension of looked) {
    const own = steepness.get(dimension)!;
    const move = await moveOf(model, anchors, { dimension, span, walk });
    const effects = effectsOf(anchors.views, totals, { move, steepness: own });
    const isPicture = anchors.views[0]!.field.type === 'image';
    found.push({ ...dimension, effects, ...(isPicture && { map: own }) });
    tell({ stage: 'effects', done: found.length, total: looked.length });
  }
  return {
    dimensions: [...found, ...sorted.slice(most)],
    around: anchors.count,
    order: hasKl ? 'KL' : 'sensitivity',
  };
}

/** The heaviest first. */
function sortedBy<T>(items: readonly T[], weight: (item: T) => number): T[] {
  const weights = new Map(items.map((item) => [item, weight(item)]));
  return [...items].sort((a, b) => weights.get(b)! - weights.get(a)!);
}

function anchorsOf(model: Model, { codes, given, count }: Seen): Anchors {
  const n = Math.min(AROUND, count);
  const index = Array.from({ length: n }, (_, i) => Math.floor((i * count) / n)); // from all over: rows may be sorted
  const { data, width } = codes;
  return {
    views: viewsOf(model),
    given: given && takeRows(conditionFields(model.schema), given, index),
    z: Float32Array.from(
      { length: n * width },
      (_, i) => data[index[Math.floor(i / width)]! * width + (i % width)]!,
    ),
    count: n,
  };
}

function dimensionOf({ parts, spread }: Seen, index: number): Dimension {
  const name = dimensionName(index);
  const own = parts.kl[name];
  const kl = own && own.reduce((a, b) => a + b, 0) / own.length;
  return {
    name,
    index,
    ...(kl !== undefined && { kl, isActive: kl > ACTIVE }),
    mean: spread.mean[index]!,
    deviation: spread.deviation[index]!,
  };
}

interface MoveOptions {
  readonly dimension: Dimension;
  readonly span: number;
  readonly walk: Walk;
}

/** From `span` σ below the mean of the dimension to `span` above, wherever each row's code is. */
async function moveOf(model: Model, anchors: Anchors, { dimension, span, walk }: MoveOptions) {
  const { index, mean, deviation } = dimension;
  const at = (side: number) =>
    responses(model, moved(anchors, walk, index, mean + side * span * deviation), anchors);
  return moveBetween(await at(-1), await at(1), periodOf(anchors.views));
}

function moved({ z, count }: Anchors, { move }: Walk, j: number, value: number): Float32Array {
  const out = z.slice();
  const width = z.length / count;
  for (let i = 0; i < count; i++) move(out.subarray(i * width, (i + 1) * width), j, value);
  return out;
}

/** σ · √(1/N Σ (∂E[x|z]/∂zⱼ)²) at the rows' own codes. */
async function slopesOf(
  model: Model,
  anchors: Anchors,
  { index, deviation }: Dimension,
  walk: Walk,
): Promise<Float64Array> {
  const { z, count } = anchors;
  const direction = new Float32Array(z.length);
  const width = z.length / count;
  for (let at = 0; at < z.length; at += width)
    walk.direction(z.subarray(at, at + width), index, direction.subarray(at, at + width));
  return rootMeanSquare(await slopes(model, z, direction, anchors)).map((v) => v * deviation);
}

/** How much the fields move in all, each beside its own variance. */
const relative = ({ views }: Anchors, totals: readonly number[], steepness: Float64Array): number =>
  Math.hypot(
    ...views.map(({ field, start, size }, i) => {
      const squares = steepness.subarray(start, start + size).reduce((sum, v) => sum + v * v, 0);
      const own = field.type === 'image' ? squares / size : squares;
      return totals[i]! > 0 ? Math.sqrt(own / totals[i]!) : 0;
    }),
  );
