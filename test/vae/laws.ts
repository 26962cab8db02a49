/** Any law by name, built for a field, with the feeds of all that it is made from. */
import type { Table } from '../../src/choice.ts';
import { type Dim, input } from '../../src/graph/index.ts';
import { parameters } from '../../src/nn/index.ts';
import { stream, variates } from '../../src/random/index.ts';
import { type Law, type LikelihoodName, likelihoods, make } from '../../src/vae/index.ts';
import type { Grid } from '../../src/vae/likelihood.ts';
import { parameterFeeds } from '../nn/feeds.ts';
import { evaluate, type Feeds, value } from '../reference.ts';

/** A law with options, and what the decoder gives one field of one example. */
export interface Setting {
  readonly options?: Readonly<Record<string, unknown>>;
  /** A list for each parameter; of these the law has as many values as it asks for. */
  readonly values: readonly (readonly number[])[];
  /** Features of the field. */
  readonly size: number;
  /** Of a picture; without it, the field is that of a row. */
  readonly channels?: number;
  /** By how much parameters that start alike are moved. */
  readonly moved?: number;
  /** Height and width of a picture; it is one line if absent. */
  readonly picture?: readonly number[];
}

export const lawOf = (name: LikelihoodName, options: Setting['options'] = {}): Law =>
  make((likelihoods as Table<Law>)[name]!, options);

export const gridOf = ({ size, channels = size, picture }: Setting): Grid => ({
  space: picture ?? (channels === size ? [] : [1, size / channels]),
  channels,
});

/** A likelihood over [1, rows, D]; the feeds have the setting's values once. */
export function built(name: LikelihoodName, setting: Setting, rows: Dim = 1) {
  const { options, values, size, moved } = setting;
  const { root, all } = parameters();
  const inputs = values.map((v, i) => input(`value ${i}`, [1, rows, v.length]));
  const law = lawOf(name, options);
  const likelihood = law.build([{ scope: root, size, ...gridOf(setting) }], inputs);
  const fed = values.map((v, i) => [`value ${i}`, value(v, [1, 1, v.length])] as const);
  const feeds: Feeds = { ...parameterFeeds(all(), 1, moved), ...Object.fromEntries(fed) };
  const x = input('x', [1, 'B', size]);
  return { law, likelihood, feeds, x, inputs, tensors: [...inputs, ...all().map((p) => p.tensor)] };
}

/** Rows of features as x. */
export const asX = (rows: readonly (readonly number[])[]) =>
  value(rows.flat(), [1, rows.length, rows[0]!.length]);

/** `count` draws of a setting, [count, D] flat. */
export function draws(name: LikelihoodName, setting: Setting, count: number): Float32Array {
  const { law, likelihood, feeds } = built(name, setting);
  const { size } = setting;
  const names = Object.keys(likelihood.values);
  const found = evaluate(Object.values(likelihood.values), feeds);
  const given = Object.fromEntries(names.map((key, i) => [key, Float32Array.from(found[i]!.data)]));
  const random = variates(stream(11, name));
  const out = new Float32Array(count * size);
  for (let i = 0; i < count; i++)
    law.draw(given, random, out.subarray(i * size, (i + 1) * size), gridOf(setting));
  return out;
}
