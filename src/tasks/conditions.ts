/** What a model is given when it samples and decodes. */
import {
  type Column,
  conditionFields,
  conditionsOf,
  drawConditions,
  type Given,
  givenValues,
  labelIndex,
  newColumn,
  type Rows,
  type Schema,
} from '../data/index.ts';
import { UserError } from '../errors.ts';
import type { Stream } from '../random/index.ts';
import type { Value } from '../runtime/index.ts';
import type { Model } from './model.ts';

export interface ConditionOptions {
  /** Values of given fields by name, the same in every row. */
  readonly given?: Given;
  /** All given fields, a row for each result; `given` wins over it. */
  readonly conditions?: Rows;
}

export const isConditional = ({ codec }: Pick<Model, 'codec'>): boolean => codec.conditionSize > 0;

/** Rows `at` to `at` + `count` of what is given, for a model that is given something. */
export type Conditions = (at: number, count: number) => Rows | undefined;

/** As told; the rest, labels that are missing among it, is drawn as the training rows have it, by `random` of the first row. */
export function sampledConditions(
  model: Model,
  { given = {}, conditions }: ConditionOptions,
  random: (at: number) => Stream,
): Conditions {
  const { schema, joint } = model;
  givenValues(schema, given); // checked before any work
  const drawn = (at: number, count: number) =>
    joint && drawConditions(schema, joint, given, count, random(at));
  if (!conditions) return drawn;
  const told = tell(model, { given, conditions });
  return (at, count) => {
    const rows = told(at, count);
    return rows && withLabels(schema, rows, () => drawn(at, count)!.columns[labelIndex(schema)]!);
  };
}

/** As told, and all of it: nothing is drawn. */
export function toldConditions(model: Model, options: ConditionOptions): Conditions {
  const told = tell(model, options);
  return (at, count) => {
    const rows = told(at, count);
    return rows && withLabels(model.schema, rows, () => labelMissing(model, at + 1));
  };
}

function labelMissing({ schema }: Model, from: number): never {
  const { name } = conditionFields(schema)[labelIndex(schema)]!;
  throw new UserError(
    `rows from ${from} on: some have no "${name}", and nothing is decoded without one: take the file that encode wrote, or say --given`,
  );
}

/** Rows of given fields with the labels that are missing taken from `others`. */
export function withLabels(schema: Schema, rows: Rows, others: () => ArrayLike<number>): Rows {
  const label = labelIndex(schema);
  const own = rows.columns[label];
  if (!own?.includes(-1 as never)) return rows;
  const found = others();
  const filled = Int32Array.from(own, (code, i) => (code < 0 ? found[i]! : code));
  return { ...rows, columns: rows.columns.with(label, filled) };
}

function tell(model: Model, { given = {}, conditions }: ConditionOptions): Conditions {
  const fields = conditionFields(model.schema);
  const values = givenValues(model.schema, given);
  const untold = fields.filter((_, j) => !conditions && !values.has(j)).map(({ name }) => `"${name}"`);
  if (untold.length > 0)
    throw new UserError(
      `the model is given ${untold.join(', ')}, and the codes come without: take the file that encode wrote, or say --given`,
    );
  const column = (j: number, at: number, count: number): Column => {
    const value = values.get(j);
    return value === undefined
      ? conditions!.columns[j]!.slice(at, at + count)
      : newColumn(fields[j]!, count).fill(value);
  };
  return (at, count) => {
    if (fields.length === 0) return undefined;
    if (conditions && conditions.count < at + count)
      throw new UserError(
        `${conditions.count} rows of conditions are given for ${at + count} or more results`,
      );
    return { count, columns: fields.map((_, j) => column(j, at, count)) };
  };
}

/** What is given in rows that the model also sees whole. */
export const conditionsIn = (model: Model, rows: Rows, index: ArrayLike<number>): Rows | undefined =>
  isConditional(model) ? conditionsOf(model.schema, rows, index) : undefined;

/** The graph's `condition`. */
export function conditionFeed({ codec }: Model, rows: Rows | undefined): Record<string, Value> {
  if (!rows) return {};
  const data = new Float32Array(rows.count * codec.conditionSize);
  codec.encodeConditions(rows, data);
  return { condition: { data, dims: [rows.count, codec.conditionSize] } };
}
