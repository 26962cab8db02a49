/** `impute`: gaps in rows, filled from what the model knows of p(x_missing | x_observed). */
import { isCurved, isMissing, momentsOf } from '../data/gaps.ts';
import {
  concatRows,
  type Dataset,
  type ModelField,
  modelFields,
  type Rows,
  type Schema,
  takeRows,
} from '../data/index.ts';
import { isGiven, isNumeric, isPredicted } from '../data/schema.ts';
import { UserError } from '../errors.ts';
import { isPoint } from '../vae/index.ts';
import type { Tell } from './evaluate/subject.ts';
import { type Guess, type GuessSetting, openGuesses } from './impute/guess.ts';
import type { Model } from './model.ts';
import { openData } from './open.ts';

export interface ImputeOptions {
  /** Importance samples of z for each row with gaps. */
  readonly samples?: number;
  /** So many tables whose gaps are draws from p(x_missing | x_observed), instead of one of expectations. */
  readonly draws?: number;
  /** Say how sure each filled value is. */
  readonly uncertainty?: boolean;
  readonly seed?: number;
  /** Keep numbers within the range seen in training. */
  readonly clip?: boolean;
  /** Is told how far it is. */
  readonly progress?: Tell;
}

/** How sure the filled values of a column are. */
export interface Uncertainty {
  readonly field: string;
  /** Standard deviation of a number, in the units of its column (of a date its days or seconds); probability of a word. */
  readonly kind: 'deviation' | 'probability';
  /** By row; NaN where nothing was filled. */
  readonly values: Float64Array;
}

export interface Imputed {
  /** All rows of the data in their order, gaps filled: one table, or as many as `draws`. */
  readonly tables: readonly Rows[];
  /** Of each column that may have gaps, where asked for. */
  readonly uncertainty: readonly Uncertainty[];
  /** Values that were filled. */
  readonly cells: number;
  /** Lines of the file that are in no table; values that are there, though not understood: filled here, and kept in a file of texts. */
  readonly unread: { readonly lines: number; readonly values: number };
  /** Numbers of the rows that had gaps, from 0. */
  readonly incomplete: Int32Array;
  /** Of z for each of these rows. */
  readonly samples: number;
  /** (Σ w)² / Σ w² of the weights of these rows (Kong 1992): where it is small, more samples would say something else. */
  readonly effective: Float64Array;
  /** Findings in plain words. */
  readonly notes: readonly string[];
}

export async function impute(model: Model, path: string, options: ImputeOptions = {}): Promise<Imputed> {
  const setting = settingOf(model, options);
  const data = await openData(path, { validation: 0, test: 0 }, model.schema); // one split: the order of the file
  try {
    const filling = begin(model, await readAll(data), setting);
    await fillAll(model, filling, setting, options.progress ?? (() => {}));
    const { tables, cells, incomplete, effective } = filling;
    const uncertainty = filling.uncertainty.filter((one) => one !== undefined);
    const { unread = { lines: 0, values: 0 } } = data;
    const notes = [...data.notes, ...remarks(model), ...gapsLeft(model.schema, filling.rows)];
    const done = { cells, unread, samples: setting.samples, notes };
    return { tables, uncertainty, incomplete, effective, ...done };
  } finally {
    await data.close();
  }
}

const SAMPLES = 500;
/** Draws that expectations on a curved scale and deviations are taken from. */
const MOMENT_DRAWS = 100;

interface Setting extends GuessSetting {
  /** Tables. */
  readonly count: number;
  /** Whether these are draws. */
  readonly isDrawn: boolean;
  readonly uncertainty: boolean;
}

function settingOf(model: Model, options: ImputeOptions): Setting {
  const { samples = SAMPLES, draws, uncertainty = false, seed = 0, clip = true } = options;
  const { shape, posterior } = model.vae.spec;
  if (shape.length === 3)
    throw new UserError('impute fills gaps in tables; pictures have none: every pixel is there');
  for (const [name, value] of Object.entries({ samples, draws: draws ?? 1 }))
    if (!(Number.isInteger(value) && value >= 1))
      throw new UserError(`${name} ${value}: expected a whole number from 1`);
  if (draws !== undefined && uncertainty)
    throw new UserError('uncertainty is of one table; where several are drawn it is how they differ');
  const needed = uncertainty || placesOf(model).some(({ field }) => isCurved(field)) ? MOMENT_DRAWS : 0;
  return {
    samples: posterior.random ? samples : 1,
    draws: draws ?? needed,
    count: draws ?? 1,
    uncertainty,
    seed,
    clip,
    isDrawn: draws !== undefined,
  };
}

/** What this kind of model leaves out, in words. */
function remarks({ vae }: Model): string[] {
  const { posterior } = vae.spec;
  if (posterior.random) return [];
  const why = isPoint(posterior) ? 'The code of a row is a point without density' : 'A row has one code';
  return [`${why}: gaps are filled by what it is decoded to, and no samples are weighed.`];
}

/** Gaps in columns that are given to the model, which no p(x|z) is of. */
function gapsLeft(schema: Schema, { columns, count }: Rows): string[] {
  return modelFields(schema).flatMap((field, j) => {
    if (!isGiven(field)) return [];
    let gaps = 0;
    for (let i = 0; i < count; i++) gaps += Number(isMissing(field, columns[j]!, i));
    if (gaps === 0) return [];
    const why = isPredicted(field) ? 'it is predicted (elbo encode tells its classes)' : 'it is a condition';
    return [`column "${field.name}": ${gaps === 1 ? '1 gap stays' : `${gaps} gaps stay`}, since ${why}.`];
  });
}

/** A modelled field, its column among those of the rows, and its features. */
interface Place {
  readonly field: ModelField;
  readonly column: number;
  readonly start: number;
}

function placesOf({ schema, codec }: Model): Place[] {
  const fields = modelFields(schema);
  return codec.parts.map(({ field: name, start }) => {
    const column = fields.findIndex((field) => field.name === name);
    return { field: fields[column]!, column, start };
  });
}

const READ = 1000;

async function readAll(data: Dataset): Promise<Rows> {
  const fields = modelFields(data.schema);
  const parts: Rows[] = [];
  for await (const { rows, index } of data.batches({ split: 'train', batchSize: READ }))
    parts.push(takeRows(fields, rows, index));
  return concatRows(fields, parts);
}

/** The tables as they are being filled. */
interface Filling {
  readonly rows: Rows;
  readonly places: readonly Place[];
  readonly tables: readonly Rows[];
  /** By place. */
  readonly uncertainty: readonly (Uncertainty | undefined)[];
  readonly incomplete: Int32Array;
  readonly effective: Float64Array;
  readonly cells: number;
}

function begin(model: Model, rows: Rows, { count, uncertainty }: Setting): Filling {
  const places = placesOf(model);
  const gaps = new Int32Array(rows.count);
  for (const { field, column } of places)
    for (let i = 0; i < rows.count; i++) gaps[i]! += Number(isMissing(field, rows.columns[column]!, i));
  const incomplete = Int32Array.from(gaps.keys()).filter((i) => gaps[i]! > 0);
  const copy = (): Rows => ({ ...rows, columns: rows.columns.map((column) => column.slice()) });
  return {
    rows,
    places,
    tables: Array.from({ length: count }, copy),
    uncertainty: places.map(({ field }) =>
      uncertainty && field.missing ? uncertaintyOf(field, rows.count) : undefined,
    ),
    incomplete,
    effective: new Float64Array(incomplete.length),
    cells: gaps.reduce((a, b) => a + b, 0),
  };
}

const uncertaintyOf = (field: ModelField, count: number): Uncertainty => ({
  field: field.name,
  kind: isNumeric(field) ? 'deviation' : 'probability',
  values: new Float64Array(count).fill(Number.NaN),
});

async function fillAll(model: Model, filling: Filling, setting: Setting, tell: Tell): Promise<void> {
  const { rows, incomplete, effective } = filling;
  const guesses = await openGuesses(model, setting);
  try {
    for (let at = 0; at < incomplete.length; at += guesses.batchSize) {
      const index = incomplete.subarray(at, at + guesses.batchSize);
      const guess = await guesses.of(rows, index, at);
      effective.set(guess.effective, at);
      filling.places.forEach((_, j) => {
        fillColumn(filling, j, index, guess, setting);
      });
      tell({ stage: 'gaps', done: at + index.length, total: incomplete.length });
    }
  } finally {
    await guesses.dispose();
  }
}

const DIGITS = 4; // of a deviation or a probability: more are noise

function fillColumn(
  { rows, places, tables, uncertainty }: Filling,
  j: number,
  index: Int32Array,
  guess: Guess,
  { isDrawn }: Setting,
): void {
  const { field, column, start } = places[j]!;
  const unsure = uncertainty[j];
  index.forEach((row, i) => {
    if (!isMissing(field, rows.columns[column]!, row)) return;
    const drawn = Float64Array.from(guess.draws, ({ columns }) => columns[column]![i]!);
    const moments = !isDrawn && drawn.length > 0 && isNumeric(field) ? momentsOf(field, drawn) : undefined;
    tables.forEach(({ columns }, t) => {
      const expected = isCurved(field) ? moments?.mean : guess.expected.columns[column]![i];
      columns[column]![row] = isDrawn ? drawn[t]! : expected!;
    });
    if (!unsure) return;
    const word = tables[0]!.columns[column]![row]!;
    const value = moments ? moments.deviation : guess.probability(i, start + word);
    unsure.values[row] = Number(value.toPrecision(DIGITS));
  });
}
