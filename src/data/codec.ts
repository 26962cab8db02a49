/**
 * Schema ↔ model space: rows of mixed types become one float array whose columns a likelihood can be put
 * on, and come back.
 */
import { UserError } from '../errors.ts';
import { type Stream, stream } from '../random/stream.ts';
import type { Support } from '../vae/index.ts';
import { type ConditionPart, conditionCodec } from './condition-codec.ts';
import { imageCodec } from './image-codec.ts';
import { supportAfter } from './laws.ts';
import { numberCodec } from './number-codec.ts';
import { oneHotCodec } from './one-hot-codec.ts';
import type { Batch, Column, Rows } from './rows.ts';
import { isGiven, isNumeric, type LawChoice, type ModelField, modelFields, type Schema } from './schema.ts';

/** Columns start … start + size − 1 of the features belong to one field; a picture is one part. */
export interface Part {
  readonly field: string;
  readonly likelihood: LawChoice;
  /** The set its features are in. */
  readonly support: Support;
  readonly start: number;
  readonly size: number;
}

/**
 * Where the randomness of an encoding comes from (pixels binarised, repeated values spread over their
 * interval): 'step' = fresh, from a stream; 'row' = fixed for each row by (seed, row id).
 */
export type Draw = { kind: 'step'; stream: Stream } | { kind: 'row'; seed: number };

export interface Codec {
  /** [D] for tables, [H, W, C] for pictures. */
  readonly shape: readonly number[];
  readonly parts: readonly Part[];
  /** A modelled field can be missing: `encode` wants a mask. */
  readonly masked: boolean;
  /** The fields that are given, and their features in all, C: 0 where nothing is given. */
  readonly conditions: readonly ConditionPart[];
  readonly conditionSize: number;
  /**
   * Fills out.x [n, …shape] and, where there, out.mask [n, parts] (1 = observed) and out.condition [n, C]. Missing
   * values become zeros. Without `draw` nothing is random: grey pixels stay grey, a repeated value is the middle of its
   * interval.
   */
  encode(batch: Batch, out: Encoded, draw?: Draw): void;
  /** Fills out [n, C] from rows of the given fields alone. */
  encodeConditions(given: Rows, out: Float32Array): void;
  /**
   * `count` rows of model space back to values: on the grid of the data and, unless `clip` is false, within
   * its range. The columns of given fields are those of `given`, rows of these fields alone.
   */
  decode(x: Float32Array, count: number, options?: { clip?: boolean; given?: Rows | undefined }): Rows;
}

export interface Encoded {
  readonly x: Float32Array;
  readonly mask?: Float32Array;
  readonly condition?: Float32Array;
}

/** Where a field lies in model space: row i at i · stride + start. */
export interface Place {
  readonly start: number;
  readonly stride: number;
}

/** One field both ways. */
export interface FieldCodec {
  readonly size: number;
  /** Uniform numbers in (0, 1) that a row takes when drawn (a picture draws its own). */
  readonly draws: 0 | 1;
  /** `to.x` is all zeros; what is missing is left so. */
  encode(column: Column, batch: Batch, to: Target, place: Place, random: Random): void;
  decode(x: Float32Array, count: number, place: Place, clip: boolean): Column;
}

/** Row i's value goes to x[i · stride + start …], and mask[i · parts + part] says whether it is there. */
export interface Target {
  readonly x: Float32Array;
  readonly mask: Float32Array | undefined;
  readonly part: number;
  readonly parts: number;
}

/** Row i takes u[i · stride + at]; no `u` = no randomness. */
export interface Random {
  readonly u: Float32Array | undefined;
  readonly at: number;
  readonly stride: number;
  readonly draw: Draw | undefined;
}

const fieldCodec = (field: ModelField): FieldCodec => {
  if (isNumeric(field)) return numberCodec(field);
  return field.type === 'image' ? imageCodec(field) : oneHotCodec(field);
};

function supportOfField(field: ModelField): Support {
  if (isNumeric(field)) return supportAfter(field.transform);
  if (field.type === 'image') return field.binarize === 'none' ? 'unit' : 'binary';
  return field.likelihood === 'ordinal' ? 'order' : 'class';
}

function partsOf(fields: readonly ModelField[], codecs: readonly FieldCodec[]): Part[] {
  let start = 0;
  return fields.map((field, j) => {
    const { name, likelihood } = field;
    const part = { field: name, likelihood, support: supportOfField(field), start, size: codecs[j]!.size };
    start += part.size;
    return part;
  });
}

function shapeOf(fields: readonly ModelField[], size: number): number[] {
  const image = fields.find((field) => field.type === 'image');
  if (!image) return [size];
  if (fields.length > 1)
    throw new UserError(`field "${image.name}" is a picture: it cannot be modelled with other columns`);
  return [image.height, image.width, image.channels];
}

/** The codec of a schema; building it is cheap, it holds no data. */
export function createCodec(schema: Schema): Codec {
  const all = modelFields(schema);
  const fields = all.filter((field) => !isGiven(field));
  const given = all.filter(isGiven);
  if (fields.length === 0)
    throw new UserError(
      `schema: no column is left to model: all are ${given.length > 0 ? 'ignored or given' : 'ignored'}`,
    );
  const codecs = fields.map(fieldCodec);
  const parts = partsOf(fields, codecs);
  const stride = parts.reduce((sum, part) => sum + part.size, 0);
  const conditions = conditionCodec(given, given.map(fieldCodec));
  const encode = encoder(codecs, parts, stride);
  return {
    shape: shapeOf(fields, stride),
    parts,
    masked: fields.some((field) => field.missing),
    conditions: conditions.parts,
    conditionSize: conditions.size,
    encode: (batch, out, draw) => {
      encode({ ...batch, rows: pick(batch.rows, all, (field) => !isGiven(field)) }, out, draw);
      if (!out.condition) return;
      check(out.condition, batch.index.length * conditions.size, 'condition');
      conditions.encode({ ...batch, rows: pick(batch.rows, all, isGiven) }, out.condition);
    },
    encodeConditions: (rows, out) => {
      check(out, rows.count * conditions.size, 'condition');
      const index = Int32Array.from({ length: rows.count }, (_, i) => i);
      conditions.encode({ rows, index, ids: index }, out);
    },
    decode: (x, count, { clip = true, given: rows } = {}) => {
      check(x, count * stride, 'x');
      const made = codecs.map((codec, j) => codec.decode(x, count, { start: parts[j]!.start, stride }, clip));
      const [modelled, conditionColumns] = [made.values(), (rows?.columns ?? []).values()];
      const next = (field: ModelField) => (isGiven(field) ? conditionColumns : modelled).next().value;
      return { count, columns: all.map((field) => next(field) ?? nothingGiven(field)) };
    },
  };
}

/** Encodes the columns of modelled fields. */
function encoder(codecs: readonly FieldCodec[], parts: readonly Part[], stride: number): Codec['encode'] {
  const draws = codecs.reduce((sum, codec) => sum + codec.draws, 0);
  return (batch, { x, mask }, draw) => {
    const n = batch.index.length;
    check(x, n * stride, 'x');
    if (mask) check(mask, n * parts.length, 'mask');
    x.fill(0, 0, n * stride);
    const u = draw && draws > 0 ? uniforms(batch, draws, draw) : undefined;
    let at = 0;
    codecs.forEach((codec, j) => {
      const to = { x, mask, part: j, parts: parts.length };
      const random = { u, at, stride: draws, draw };
      codec.encode(batch.rows.columns[j]!, batch, to, { start: parts[j]!.start, stride }, random);
      at += codec.draws;
    });
  };
}

/** The columns of some fields. */
const pick = (rows: Rows, fields: readonly ModelField[], wanted: (field: ModelField) => boolean): Rows => ({
  count: rows.count,
  columns: rows.columns.filter((_, j) => wanted(fields[j]!)),
});

function nothingGiven({ name }: ModelField): never {
  throw new RangeError(`codec: nothing is given for "${name}"`);
}

function check(array: Float32Array, size: number, name: string): void {
  if (array.length < size)
    throw new RangeError(`codec: ${name} holds ${array.length} numbers, expected ${size}`);
}

/** [n, draws] uniforms for the numeric fields. */
function uniforms({ ids }: Batch, draws: number, draw: Draw): Float32Array {
  const u = new Float32Array(ids.length * draws);
  if (draw.kind === 'step') draw.stream.uniform(u);
  else
    for (let i = 0; i < ids.length; i++)
      stream(draw.seed, 'encode', ids[i]!).uniform(u.subarray(i * draws, (i + 1) * draws));
  return u;
}
