/** What the report of a model shows, measured: curves, samples, reconstructions, latent codes, columns side by side. */

import {
  type Batch,
  concatRows,
  conditionFields,
  contactSheet,
  type Dataset,
  describeSchema,
  modelFields,
  type Rows,
  takeRows,
} from '../data/index.ts';
import { rowTexts } from '../data/texts.ts';
import type { ModelFile } from '../model/index.ts';
import {
  type Fact,
  type Figure,
  project,
  type ReportData,
  type Scatter,
  type TableRows,
} from '../report/index.ts';
import { ACTIVE, type EpochRecord } from '../train/index.ts';
import { klOf } from '../vae/index.ts';
import { compareColumns } from './compare.ts';
import { decode } from './decode.ts';
import { encodeBatch } from './encode.ts';
import type { Model } from './model.ts';
import { drawnBatches } from './rows.ts';
import { sample } from './sample.ts';

const SHOWN = { pictures: 64, pairs: 16, rows: 12, points: 2000, compared: 5000 };

export interface ReportFacts {
  readonly file: ModelFile;
  readonly history: readonly EpochRecord[];
  readonly choices: readonly string[];
}

export async function reportData(
  model: Model,
  data: Dataset,
  { file, history, choices }: ReportFacts,
): Promise<ReportData> {
  const best = history.findLast((record) => record.best)!;
  const watched = data.counts.validation > 0 ? 'validation' : 'training';
  const seen = await collect(model, data, watched);
  const picture = modelFields(model.schema).some((field) => field.type === 'image');
  const views = picture ? await pictureViews(model, seen) : await tableViews(model, seen);
  return {
    title: model.name,
    subtitle: subtitle(file),
    figures: figuresOf(file),
    watched,
    history,
    klPerDimension: best.klPerDimension,
    klOf: klOf(model.vae),
    activeAbove: ACTIVE,
    codes: best.codes,
    scatter: scatter(seen, model.vae.spec.latent, data),
    ...views,
    facts: factsOf(file),
    fields: describeSchema(model.schema),
    choices,
    notes: data.notes,
  };
}

/** Rows of the watched split with their codes. */
interface Seen {
  readonly rows: Rows;
  readonly means: Float32Array;
  readonly conditions: Rows | undefined;
  readonly ids: readonly number[];
}

async function collect(model: Model, data: Dataset, watched: ReportData['watched']): Promise<Seen> {
  const fields = modelFields(model.schema);
  const picture = fields.some((field) => field.type === 'image');
  const batches: { batch: Batch; mean: Float32Array; conditions?: Rows }[] = [];
  const wanted = picture ? SHOWN.points : SHOWN.compared;
  const splits = [watched === 'training' ? 'train' : 'validation'] as const;
  for await (const batch of drawnBatches(data, splits, { count: wanted, seed: 0, batchSize: 500 })) {
    batches.push({ batch, ...(await encodeBatch(model, batch, 0)) });
  }
  const given = batches.flatMap(({ conditions }) => (conditions ? [conditions] : []));
  return {
    rows: concatRows(
      fields,
      batches.map(({ batch }) => takeRows(fields, batch.rows, batch.index)),
    ),
    conditions: given.length > 0 ? concatRows(conditionFields(model.schema), given) : undefined,
    means: Float32Array.from(batches.flatMap(({ mean }) => [...mean])),
    ids: batches.flatMap(({ batch }) => [...batch.ids]),
  };
}

function scatter({ means, ids }: Seen, latent: number, { labels }: Dataset): Scatter {
  const count = Math.min(SHOWN.points, ids.length);
  const places = project(means, count, latent);
  if (!labels) return places;
  const values = ids.slice(0, count).map((id) => labels.names[labels.codes[id]!] ?? '');
  return { ...places, colour: { name: labels.name, values } };
}

async function pictureViews(model: Model, seen: Seen) {
  const { rows } = seen;
  const { height, width, channels } = modelFields(model.schema).find((field) => field.type === 'image')!;
  const sheet = (pixels: Uint8Array, columns: number) =>
    contactSheet({ data: pixels, height, width, channels }, { columns });
  const { drawn, caption } = await drawnPictures(model);
  const count = Math.min(SHOWN.pairs, rows.count);
  const back = await decodeFirst(model, seen, count);
  const size = height * width * channels;
  const pairs = alternate(rows.columns[0] as Uint8Array, back.columns[0] as Uint8Array, count, size);
  return {
    samples: {
      kind: 'pictures',
      png: await sheet(drawn.columns[0] as Uint8Array, 8),
      caption,
    },
    reconstructions: {
      kind: 'pictures',
      png: await sheet(pairs, 8),
      caption: 'Each row of pictures above its reconstruction.',
    },
  } as const;
}

/** The reconstructions of the first rows. */
function decodeFirst(model: Model, { means, conditions }: Seen, count: number): Promise<Rows> {
  return decode(model, means.subarray(0, count * model.vae.spec.latent), conditions ? { conditions } : {});
}

const drawnFrom = ({ vae }: Model): string =>
  vae.codes && !vae.spec.posterior.random
    ? 'codes drawn at random, each as likely as the others (elbo refit learns which go together)'
    : 'draws of z from the prior';

const MOST_CLASSES = 16;

/** Of pictures that are given one of a few classes, a row of the sheet for each. */
async function drawnPictures(model: Model) {
  const [field, ...others] = conditionFields(model.schema);
  const words = field?.type === 'category' && others.length === 0 ? field.categories : [];
  if (words.length === 0 || words.length > MOST_CLASSES) {
    const given = field ? ', what is given as in the training pictures' : '';
    return {
      drawn: await sample(model, { count: SHOWN.pictures, mean: true }),
      caption: `Means of p(x|z) at ${drawnFrom(model)}${given}.`,
    };
  }
  const count = PER_ROW * words.length;
  const codes = Int32Array.from({ length: count }, (_, i) => Math.floor(i / PER_ROW));
  const conditions = { count, columns: [codes] };
  return {
    drawn: await sample(model, { count, mean: true, conditions }),
    caption: `Means of p(x|z) at draws of z from the prior; rows given ${field!.name} ${words.join(', ')}.`,
  };
}

const PER_ROW = 8;

/** Rows of eight originals, each followed by the row of their reconstructions. */
function alternate(original: Uint8Array, back: Uint8Array, count: number, size: number): Uint8Array {
  const rows = Math.ceil(count / PER_ROW);
  const out = new Uint8Array(2 * rows * PER_ROW * size).fill(255);
  for (let i = 0; i < count; i++) {
    const at = (2 * Math.floor(i / PER_ROW) * PER_ROW + (i % PER_ROW)) * size;
    out.set(original.subarray(i * size, (i + 1) * size), at);
    out.set(back.subarray(i * size, (i + 1) * size), at + PER_ROW * size);
  }
  return out;
}

async function tableViews(model: Model, seen: Seen) {
  const { rows } = seen;
  const samples = await sample(model, { count: Math.max(SHOWN.compared, SHOWN.rows) });
  const count = Math.min(SHOWN.rows, rows.count);
  const back = await decodeFirst(model, seen, count);
  const table = (some: Rows): TableRows => tableRows(model, some, count);
  return {
    samples: tableRows(model, samples, SHOWN.rows),
    reconstructions: { kind: 'pairs', original: table(rows), reconstruction: table(back) },
    columns: compareColumns(model.schema, rows, samples),
  } as const;
}

function tableRows({ schema }: Model, rows: Rows, count: number): TableRows {
  const fields = modelFields(schema);
  const numeric = (type: string) => type === 'number' || type === 'integer';
  return {
    kind: 'table',
    columns: fields.map(({ name, type }) => ({ name, numeric: numeric(type) })),
    rows: rowTexts(rows, schema, count),
  };
}

const figuresOf = ({ metrics }: ModelFile): Figure[] =>
  Object.entries(metrics).map(([name, { value, protocol }]) => ({
    name,
    value,
    protocol,
    unit: /^(active|code)/.test(name) ? '' : 'nats',
  }));

function subtitle({ training, created, parameters }: ModelFile): string {
  const { rows, epochs, seconds } = training;
  return (
    `A variational autoencoder with ${parameters.toLocaleString('en')} parameters, trained on ${rows['train']?.toLocaleString('en')} rows ` +
    `for ${epochs} epochs (${duration(seconds)}) on ${created.slice(0, 10)}.`
  );
}

const duration = (seconds: number): string =>
  seconds < 120 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(0)} min`;

const factsOf = ({ training, seed, elbo }: ModelFile): Fact[] => [
  {
    label: 'Rows',
    value: Object.entries(training.rows)
      .map(([split, n]) => `${n.toLocaleString('en')} ${split}`)
      .join(', '),
  },
  {
    label: 'Training',
    value: `${training.epochs} epochs, ${training.steps} steps; ${training.reason}; best epoch ${training.bestEpoch}`,
  },
  { label: 'Seed', value: String(seed) },
  { label: 'Elbo', value: elbo },
];
