/** What the decoder answers to z, in the data's own units: years, euros, probabilities of words, levels of pixels. */
import { type Expected, expectedOf } from '../../data/expected.ts';
import { type ModelField, modelFields, type Rows } from '../../data/index.ts';
import { type PeriodOf, type Points, pointsOf } from '../../metrics/index.ts';
import type { Value, Values } from '../../runtime/index.ts';
import { wanted } from '../../train/index.ts';
import { conditionFeed } from '../conditions.ts';
import type { Model } from '../model.ts';

/** One field of the response: entries `start` to `start + size`, laid out as in model space. */
export interface View {
  readonly field: ModelField;
  readonly start: number;
  readonly size: number;
  /** Of angles: what a turn is in their unit. */
  readonly period: number | undefined;
  readonly expected: Expected;
}

export const viewsOf = ({ schema, codec }: Model): View[] =>
  codec.parts.map(({ field: name, start, size }) => {
    const field = modelFields(schema).find((f) => f.name === name)!;
    const turn = 'transform' in field && field.transform.kind === 'turn' ? field.transform : undefined;
    return { field, start, size, period: turn?.period, expected: expectedOf(field) };
  });

export const periodOf = (views: readonly View[]): PeriodOf => {
  const periods = views.flatMap(({ size, period }) => Array<number | undefined>(size).fill(period));
  return (entry) => periods[entry];
};

export interface ResponseOptions {
  readonly views: readonly View[];
  /** What each row is given, where the model is. */
  readonly given: Rows | undefined;
}

/** E[x|z] of each row, [n, D]. */
export async function responses(
  model: Model,
  z: Float32Array,
  { views, given }: ResponseOptions,
): Promise<Points> {
  const { mean, deviation } = await run(model, 'response', { z }, given);
  return inUnits(views, mean!, ({ expected }, at) =>
    expected.value(numberAt(mean, at), numberAt(deviation, at)),
  );
}

/** ∂E[x|z]/∂z · direction of each row, [n, D]. */
export async function slopes(
  model: Model,
  z: Float32Array,
  direction: Float32Array,
  { views, given }: ResponseOptions,
): Promise<Points> {
  const { mean, deviation, meanSlope, deviationSlope } = await run(model, 'slope', { z, direction }, given);
  return inUnits(views, mean!, ({ expected }, at) => {
    const [byMean, byDeviation] = expected.slopes(numberAt(mean, at), numberAt(deviation, at));
    return byMean * numberAt(meanSlope, at) + byDeviation * numberAt(deviationSlope, at);
  });
}

/** 0 in what a graph does not give: pictures have no deviation. */
const numberAt = (value: Value | undefined, at: number): number =>
  value ? (value.data as Float32Array)[at]! : 0;

async function run(
  model: Model,
  graph: 'response' | 'slope',
  latents: Readonly<Record<string, Float32Array>>,
  given: Rows | undefined,
): Promise<Values> {
  const session = await model.session(graph);
  const { latent } = model.vae.spec;
  const feeds = Object.entries(latents).map(([name, data]): [string, Value] => [
    name,
    { data, dims: [data.length / latent, latent] },
  ]);
  return session.run(wanted(session, { ...Object.fromEntries(feeds), ...conditionFeed(model, given) }));
}

function inUnits(
  views: readonly View[],
  { data, dims }: Value,
  entry: (view: View, at: number) => number,
): Points {
  const out = new Float64Array(data.length);
  const width = out.length / dims[0]!;
  for (let row = 0; row < out.length; row += width)
    for (const view of views)
      for (let j = view.start; j < view.start + view.size; j++) out[row + j] = entry(view, row + j);
  return pointsOf(out, width);
}
