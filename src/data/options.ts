/** What can be said when opening data, with the defaults in one place. */
import { UserError } from '../errors.ts';
import { applyEdits, type FieldEdit, type SchemaEdits } from './edits.ts';
import { DEFAULT_MISSING, isWholeSchema, type LawChoice, type Schema } from './schema.ts';

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
  /** Columns that are given and not modelled; of pictures and arrays also 'label', what comes beside them. */
  readonly condition?: readonly string[];
  /** The column that is given where it is known and else inferred; of pictures and arrays also 'label'. */
  readonly predict?: string;
  /** Whether a value of any column may be missing where the model is used, also where none is in these data. */
  readonly gaps?: boolean;
  /** The law of every numeric column whose values are in its set. */
  readonly likelihood?: LawChoice;
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
  readonly condition: readonly string[];
  readonly predict: string | undefined;
  readonly likelihood: LawChoice | undefined;
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
  const { schema, condition = [] } = options;
  const whole = schema && isWholeSchema(schema) ? schema : undefined;
  const edits = { fields: editsOf(options, whole), gaps: options.gaps === true };
  return {
    schema: whole && applyEdits(whole, edits),
    edits,
    condition,
    predict: options.predict,
    likelihood: options.likelihood,
    seed: options.seed ?? 0,
    validation: options.validation ?? 0.1,
    test: options.test ?? 0.1,
    lenient: whole !== undefined,
    missing: options.missing ?? schema?.missing ?? DEFAULT_MISSING,
    header: options.header,
    image: options.image ?? {},
    label: options.label,
    memory: options.memory ?? 512 * 2 ** 20,
    limit: options.limit,
  };
}

/** Those of the schema file and of the other options, one a field. */
function editsOf({ schema, ignore = [], condition = [], predict }: OpenOptions, whole?: Schema): FieldEdit[] {
  const edits = new Map<string, FieldEdit>();
  const given = whole || !schema ? [] : (schema.fields as SchemaEdits['fields']);
  const roles = [
    ...ignore.map((name): FieldEdit => ({ name, role: 'ignored', reason: 'left out by hand' })),
    ...condition.map((name): FieldEdit => ({ name, role: 'condition' })),
    ...(predict === undefined ? [] : [{ name: predict, role: 'predicted' } as const]),
  ];
  const both = ignore.find((name) => condition.includes(name));
  if (both !== undefined) throw new UserError(`column "${both}" cannot be left out and be a condition`);
  if (predict !== undefined && (ignore.includes(predict) || condition.includes(predict)))
    throw new UserError(`column "${predict}" cannot be predicted and be left out or a condition`);
  for (const edit of [...given, ...roles]) edits.set(edit.name, { ...edits.get(edit.name), ...edit });
  return [...edits.values()];
}
