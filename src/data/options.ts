/** What can be said when opening data, with the defaults in one place. */
import type { SchemaEdits } from './edits.ts';
import { DEFAULT_MISSING, isWholeSchema, type Schema } from './schema.ts';

export interface ImageOptions {
  /** Side, or [height, width]; left out: the pictures' own size if they all have the same, else 64. */
  readonly size?: number | readonly [number, number];
  readonly color?: 'gray' | 'rgb' | 'rgba';
  readonly binarize?: 'dynamic' | 'static' | 'none';
}

export interface OpenOptions {
  /** A whole schema (of a saved model) is used as it is; edits change the inferred one. */
  readonly schema?: Schema | SchemaEdits;
  /** Columns to leave out. */
  readonly ignore?: readonly string[];
  /** Of the split into training, validation and test rows. */
  readonly seed?: number;
  /** Share of rows, unless a file is given for it. */
  readonly validation?: number;
  readonly test?: number;
  /** Texts that mean "no value", instead of the default list. */
  readonly missing?: readonly string[];
  /** Whether the first line of a CSV file names the columns; left out: seen from the data. */
  readonly header?: boolean;
  readonly image?: ImageOptions;
  /** Column (table), array (.npz) or 'folder' (pictures) to colour rows by. */
  readonly label?: string;
  /** Bytes; larger data is streamed. */
  readonly memory?: number;
  /** Use only the first rows. */
  readonly limit?: number;
}

/** One path, or a file for each split; what is not given is taken out of the training rows. */
export interface GivenPaths {
  readonly train: string;
  readonly validation?: string | undefined;
  readonly test?: string | undefined;
}

export interface Settings {
  readonly schema: Schema | undefined;
  readonly edits: SchemaEdits;
  readonly seed: number;
  readonly validation: number;
  readonly test: number;
  /** A known schema is for using a model on rows, however few. */
  readonly lenient: boolean;
  readonly missing: readonly string[];
  readonly header: boolean | undefined;
  readonly image: ImageOptions;
  readonly label: string | undefined;
  readonly memory: number;
  readonly limit: number | undefined;
}

export function settingsOf(options: OpenOptions): Settings {
  const whole = options.schema && isWholeSchema(options.schema) ? options.schema : undefined;
  const given = whole || !options.schema ? [] : options.schema.fields;
  const ignored = (options.ignore ?? []).map((name) => ({
    name,
    role: 'ignored' as const,
    reason: 'left out by hand',
  }));
  return {
    schema: whole,
    edits: { fields: [...(given as SchemaEdits['fields']), ...ignored] },
    seed: options.seed ?? 0,
    validation: options.validation ?? 0.1,
    test: options.test ?? 0.1,
    lenient: whole !== undefined,
    missing: options.missing ?? options.schema?.missing ?? DEFAULT_MISSING,
    header: options.header,
    image: options.image ?? {},
    label: options.label,
    memory: options.memory ?? 512 * 2 ** 20,
    limit: options.limit,
  };
}
