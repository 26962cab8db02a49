/** How far reconstructions are from the rows, in the data's own units. */
import { concatRows, type ModelField, modelFields, type Rows, takeRows } from '../../data/index.ts';
import {
  type Estimate,
  meanOf,
  moments,
  type Picture,
  peakSignalToNoise,
  shareOf,
  squaredError,
  structuralSimilarity,
  through,
  WINDOW,
} from '../../metrics/index.ts';
import { draw } from '../decode.ts';
import { encodeBatch } from '../encode.ts';
import type { Model } from '../model.ts';
import type { Findings } from './figures.ts';
import { rowsInWords, type Subject, type Tell } from './subject.ts';

/** An error with that of the best constant answer beside it. */
export type FieldError = Estimate & { readonly constant: number };

/** Errors of one column; of numbers and dates in `unit`, of categories as a share. */
export interface ColumnErrors {
  readonly meanAbsolute?: FieldError;
  readonly rootMeanSquare?: FieldError;
  readonly accuracy?: FieldError;
  /** Of what the errors are: 'days', or '' for the column's own. */
  readonly unit: string;
}

export interface ReconstructionFindings extends Findings {
  /** Of a table. */
  readonly columns: Readonly<Record<string, ColumnErrors>>;
}

const READ = 500;

/** The mean of q(z|x), decoded to the mean of p(x|z). */
export async function reconstructionFindings(
  model: Model,
  subject: Subject,
  seed: number,
  tell: Tell,
): Promise<ReconstructionFindings> {
  const fields = modelFields(model.schema);
  const parts: Rows[] = [];
  const originals: Rows[] = [];
  let at = 0;
  for await (const batch of subject.data.batches({ split: 'test', batchSize: READ })) {
    const { mean, conditions: given } = await encodeBatch(model, batch, seed);
    originals.push(takeRows(fields, batch.rows, batch.index));
    parts.push(await draw(model, mean, { seed, at, mean: true, clip: true, given }));
    at += batch.index.length;
    tell({ stage: 'reconstruction', done: at, total: subject.count });
  }
  const [original, again] = [concatRows(fields, originals), concatRows(fields, parts)];
  const protocol = `the mean of q(z|x) decoded to the mean of p(x|z), ${rowsInWords(subject)}, against the data as it is`;
  const picture = fields.findIndex(({ type }) => type === 'image');
  if (picture >= 0) {
    const field = fields[picture] as PictureField;
    const found = pictureErrors(
      field,
      original.columns[picture] as Uint8Array,
      again.columns[picture] as Uint8Array,
    );
    return { ...found, columns: {}, protocols: { reconstruction: protocol } };
  }
  const own = new Set(model.codec.parts.map(({ field }) => field));
  const columns = fields.flatMap((field, j) =>
    own.has(field.name)
      ? [[field.name, columnErrors(field, original.columns[j]!, again.columns[j]!)] as const]
      : [],
  );
  return {
    figures: {},
    absent: {},
    columns: Object.fromEntries(columns),
    protocols: { reconstruction: `${protocol}; beside it the best constant answer` },
  };
}

type PictureField = Extract<ModelField, { type: 'image' }>;

function pictureErrors({ height, width, channels }: PictureField, a: Uint8Array, b: Uint8Array): Findings {
  const size = height * width * channels;
  const at = (data: Uint8Array, i: number): Picture => ({
    height,
    width,
    channels,
    data: data.subarray(i * size, (i + 1) * size),
  });
  const [squares, absolute, similar] = [moments(), moments(), moments()];
  const tooSmall = Math.min(height, width) < WINDOW;
  for (let i = 0; i < a.length / size; i++) {
    const [x, y] = [at(a, i), at(b, i)];
    squares.add(squaredError(x, y));
    absolute.add(x.data.reduce((sum, v, p) => sum + Math.abs(v - y.data[p]!), 0) / size);
    if (!tooSmall) similar.add(structuralSimilarity(x, y));
  }
  const ratio = through(meanOf(squares), (v) => peakSignalToNoise(Math.max(0, v)));
  return {
    figures: {
      meanAbsolutePixel: meanOf(absolute),
      psnr: { ...ratio, protocol: '10 log₁₀ (255² / mean squared error over all pictures)' },
      ...(!tooSmall && {
        ssim: {
          ...meanOf(similar),
          protocol: 'Gaussian window of 11 × 11, σ 1.5, where it fits whole (Wang et al. 2004)',
        },
      }),
    },
    absent: tooSmall
      ? { ssim: `pictures of ${height} × ${width} are smaller than its window of ${WINDOW} × ${WINDOW}` }
      : {},
  };
}

/** Of the values that are there. */
export function columnErrors(
  field: ModelField,
  original: ArrayLike<number>,
  again: ArrayLike<number>,
): ColumnErrors {
  if (field.type === 'category' || field.type === 'boolean')
    return { accuracy: accuracy(original, again), unit: '' };
  const period = 'transform' in field && field.transform.kind === 'turn' ? field.transform.period : undefined;
  const there = Array.from(original, (v, i) => [v, again[i]!] as const).filter(([v]) => !Number.isNaN(v));
  const errors = there.map(([v, w]) => gap(w - v, period));
  const { median, mean } = constants(
    there.map(([v]) => v),
    period,
  );
  return {
    meanAbsolute: {
      ...meanOf(moments(errors.map(Math.abs))),
      constant: moments(there.map(([v]) => Math.abs(gap(v - median, period)))).mean(),
    },
    rootMeanSquare: {
      ...through(meanOf(moments(errors.map((e) => e * e))), (v) => Math.sqrt(Math.max(0, v))),
      constant: Math.sqrt(moments(there.map(([v]) => gap(v - mean, period) ** 2)).mean()),
    },
    unit: field.type === 'date' ? `${field.unit}s` : '',
  };
}

/** A difference; of angles the shorter way round. */
const gap = (difference: number, period: number | undefined): number =>
  period === undefined ? difference : difference - period * Math.round(difference / period);

/** The best constant answers; of angles their mean direction for both. */
function constants(values: readonly number[], period: number | undefined): { median: number; mean: number } {
  if (period === undefined) {
    const sorted = Float64Array.from(values).sort();
    return { median: sorted[sorted.length >> 1] ?? Number.NaN, mean: moments(values).mean() };
  }
  const turn = (2 * Math.PI) / period;
  const [sine, cosine] = [Math.sin, Math.cos].map((f) => moments(values.map((v) => f(v * turn))).mean());
  const direction = Math.atan2(sine!, cosine!) / turn;
  return { median: direction, mean: direction };
}

function accuracy(original: ArrayLike<number>, again: ArrayLike<number>): FieldError {
  const counts = new Map<number, number>();
  let [hits, n] = [0, 0];
  for (let i = 0; i < original.length; i++) {
    const code = original[i]!;
    if (code < 0) continue;
    n++;
    hits += Number(again[i] === code);
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  return { ...shareOf(hits, n), constant: Math.max(0, ...counts.values()) / n };
}
