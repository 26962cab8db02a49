/** `schema`: what is in the data, in words and as JSON to edit. */
import { type dataOptions, type ParsedOptions, parseOptions, dataOptions as table } from '../config/index.ts';
import { type Counts, describeSchema, type Schema } from '../data/index.ts';
import { checkSplits, openData } from './open.ts';

export interface SchemaResult {
  readonly schema: Schema;
  /** One line a field. */
  readonly lines: readonly string[];
  readonly notes: readonly string[];
  readonly counts: Counts;
}

export type SchemaOptions = Partial<Pick<ParsedOptions, keyof typeof dataOptions>>;

export async function schema(path: string, options: SchemaOptions = {}): Promise<SchemaResult> {
  const parsed = parseOptions(table, options);
  checkSplits(parsed);
  const data = await openData(path, parsed);
  try {
    return {
      schema: data.schema,
      lines: describeSchema(data.schema),
      notes: data.notes,
      counts: data.counts,
    };
  } finally {
    await data.close();
  }
}
