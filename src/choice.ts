/** A named choice: what it is, in a line, its options, and the value it stands for. Tables of these are what users choose from. */
import * as z from 'zod';
import { UserError } from './errors.ts';

export interface Choice<Options extends z.ZodRawShape, Value> {
  readonly doc: string;
  readonly options: Options;
  // a method, so that a table of different options is a table
  build(options: z.output<z.ZodObject<Options>>): Value;
}

export const choice = <Options extends z.ZodRawShape, Value>(
  entry: Choice<Options, Value>,
): Choice<Options, Value> => entry;

/** The value of a choice, its options checked and the rest of them as usual. Throws a `UserError` for options that it does not have. */
export function make<Options extends z.ZodRawShape, Value>(
  entry: Choice<Options, Value>,
  options: Readonly<Record<string, unknown>> = {},
): Value {
  const { data, error } = z.strictObject(entry.options).safeParse(options);
  if (error) throw new UserError(`${entry.doc}:\n${z.prettifyError(error)}`);
  return entry.build(data);
}

export type Table<Value> = Readonly<Record<string, Choice<z.ZodRawShape, Value>>>;
