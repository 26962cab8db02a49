/** Reports with made-up but likely content, the same in every run. */
import sharp from 'sharp';
import type { ModelField, Rows, Schema } from '../../src/data/index.ts';
import { rowTexts } from '../../src/data/texts.ts';
import { project, type ReportData, type TableRows } from '../../src/report/index.ts';
import { compareColumns } from '../../src/tasks/compare.ts';

/** Uniform numbers from 0 to 1 (mulberry32). */
export function uniform(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
const normals = (next: () => number) => () =>
  Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());

export function history(epochs: number): ReportData['history'] {
  const normal = normals(uniform(1));
  const records = Array.from({ length: epochs }, (_, i) => {
    const curve = (floor: number, noise: number) =>
      floor + 90 * Math.exp(-i / 1.5) + 8 * Math.exp(-i / 8) + noise * normal();
    const kl = 25.5 - 14 * Math.exp(-i / 1.2);
    const [train, validation] = [curve(101, 0.05), curve(102.6, 0.2) + Math.max(0, i - 24) * 0.06];
    return {
      epoch: i + 1,
      step: 420 * (i + 1),
      train: { negativeElbo: train, logPx: kl - train, kl },
      validation: { negativeElbo: validation, logPx: kl - 0.1 - validation, kl: kl - 0.1 },
      watched: validation,
      klPerDimension: [],
      activeUnits: 14,
      terms: {},
      best: false,
      learningRate: 1e-3,
      beta: 1,
    };
  });
  let best = Number.POSITIVE_INFINITY;
  return records.map((r) => {
    const improved = r.validation.negativeElbo < best;
    best = Math.min(best, r.validation.negativeElbo);
    return { ...r, best: improved };
  });
}

function scatter(points: number, labels: number): NonNullable<ReportData['scatter']> {
  const normal = normals(uniform(2));
  const size = 20;
  const codes = new Float32Array(points * size);
  const values = Array.from({ length: points }, (_, i) => {
    const label = i % labels;
    for (let j = 0; j < size; j++) {
      const centre = 2.2 * Math.cos(label * 2.4 + j * 1.7) * (j < 6 ? 1 : 0);
      codes[i * size + j] = centre + 0.6 * normal() * (j < 6 ? 1 : 0.1);
    }
    return String(label);
  });
  return { ...project(codes, points, size), colour: { name: 'digit', values } };
}

async function sheet(across: number, down: number, side: number): Promise<Uint8Array> {
  const next = uniform(3);
  const [width, height] = [across * (side + 2) + 2, down * (side + 2) + 2];
  const pixels = new Uint8Array(width * height).fill(40);
  for (let tile = 0; tile < across * down; tile++) {
    const [cx, cy, r] = [0.35 + 0.3 * next(), 0.35 + 0.3 * next(), 0.15 + 0.2 * next()];
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++) {
        const d = Math.abs(Math.hypot(x / side - cx, (y / side - cy) * 0.8) - r);
        const at =
          (2 + Math.floor(tile / across) * (side + 2) + y) * width + 2 + (tile % across) * (side + 2) + x;
        pixels[at] = 255 * Math.max(0, 1 - (d * 14) ** 2);
      }
  }
  return sharp(pixels, { raw: { width, height, channels: 1 } })
    .png()
    .toBuffer();
}

const common = {
  klOf: 'dimension',
  title: 'mnist',
  watched: 'validation',
  subtitle:
    'Variational autoencoder trained on 54,000 pictures of 28 × 28 on 22 November 2026 in 2 min 41 s.',
  figures: [
    {
      name: 'Test −ELBO',
      value: 102.13,
      unit: 'nats',
      protocol: 'one sample of z per row, 10,000 test rows',
    },
    { name: 'Reconstruction', value: 76.9, unit: 'nats', protocol: '−log p(x|z), same rows' },
    { name: 'KL', value: 25.23, unit: 'nats', protocol: 'KL(q(z|x) ‖ p(z)), same rows' },
    {
      name: 'Log-likelihood',
      value: -97.41,
      unit: 'nats',
      protocol: 'importance sampling, 100 samples, ± 0.6 (95 %)',
    },
    { name: 'Parameters', value: 651_424, unit: '', protocol: 'encoder and decoder' },
  ],
  klPerDimension: Array.from({ length: 20 }, (_, i) => (i < 14 ? 2.6 - 0.13 * ((i * 7) % 14) : 0.002)),
  activeAbove: 0.01,
  facts: [
    { label: 'Network', value: 'MLP: 784 → 400 → 20 latent → 400 → 784, ReLU' },
    { label: 'Likelihood', value: 'Bernoulli, pixels binarised afresh each step' },
    { label: 'Objective', value: 'ELBO' },
    { label: 'Optimiser', value: 'Adam, learning rate 0.001, batches of 128' },
    { label: 'Seed', value: '0' },
  ],
  fields: ['image: 28 × 28 grey picture, binarised afresh each step'],
  choices: [
    '20 latent dimensions: --latent 10 for fewer',
    'pixels binarised, as most are black or white: --binarize none',
  ],
  notes: ['validation −ELBO has not improved for 10 epochs: the weights of epoch 25 are kept.'],
} satisfies Partial<ReportData>;

export async function pictureReport(): Promise<ReportData> {
  return {
    ...common,
    history: history(40),
    scatter: scatter(500, 10),
    samples: { kind: 'pictures', png: await sheet(16, 4, 28), caption: '64 samples, seed 0, temperature 1.' },
    reconstructions: {
      kind: 'pictures',
      png: await sheet(16, 4, 28),
      caption: 'Odd rows: pictures of the validation split. Even rows: their reconstructions.',
    },
  };
}

const numeric = (name: string, min: number, max: number) =>
  ({
    name,
    role: 'model',
    type: 'integer',
    missing: false,
    missingShare: 0,
    min,
    max,
    distinct: max - min + 1,
    likelihood: 'gaussian',
    transform: { kind: 'standard', mean: 0, sd: 1 },
  }) as const;
const category = (name: string, categories: string[]) =>
  ({
    name,
    role: 'model',
    type: 'category',
    missing: false,
    missingShare: 0,
    categories,
    counts: categories.map(() => 1),
    likelihood: 'categorical',
  }) as const;

const fields: ModelField[] = [
  numeric('age', 17, 90),
  category('workclass', [
    'Private',
    'Self-emp-not-inc',
    'Local-gov',
    'State-gov',
    'Self-emp-inc',
    'Federal-gov',
  ]),
  { ...numeric('fnlwgt', 12_285, 1_484_705) },
  category('education', [
    'HS-grad',
    'Some-college',
    'Bachelors',
    'Masters',
    'Assoc-voc',
    '11th',
    'Assoc-acdm',
    '10th',
    '7th-8th',
    'Prof-school',
    '9th',
    '12th',
    'Doctorate',
    '5th-6th',
    '1st-4th',
    'Preschool',
  ]),
  { ...numeric('hired', 8000, 19_000), type: 'date', unit: 'day', format: '%Y-%m-%d' },
  { ...numeric('capital-gain', 0, 99_999) },
  { ...numeric('hourly', 4, 60), type: 'number', decimals: 2 },
  {
    name: 'income',
    role: 'model',
    type: 'boolean',
    missing: true,
    missingShare: 0.1,
    words: ['<=50K', '>50K'],
    counts: [3, 1],
    likelihood: 'categorical',
  },
];
const schema: Schema = { version: 1, missing: [''], fields };

/** Rows like those of a census. */
function people(count: number, seed: number): Rows {
  const next = uniform(seed);
  const normal = normals(next);
  const clip = (v: number, { min, max }: { min: number; max: number }) => Math.min(max, Math.max(min, v));
  const columns = fields.map((field) => {
    if (field.type === 'image') throw new Error('no pictures here');
    if (field.type === 'category' || field.type === 'boolean') {
      const size = field.type === 'category' ? field.categories.length : 2;
      return Int32Array.from({ length: count }, () => Math.floor(size * next() ** 2.2));
    }
    return Float64Array.from({ length: count }, () => {
      if (field.name === 'capital-gain' && next() < 0.92) return 0;
      const v = field.min + (field.max - field.min) * (0.3 + 0.16 * normal() + 0.01 * seed);
      const clipped = clip(v, field);
      return field.type === 'number' ? Math.round(clipped * 100) / 100 : Math.round(clipped);
    });
  });
  columns[7]!.fill(-1, 0, count / 10);
  return { count, columns };
}

const tableRows = (rows: Rows, count = 12): TableRows => ({
  kind: 'table',
  columns: fields.map(({ name, type }) => ({ name, numeric: type === 'number' || type === 'integer' })),
  rows: rowTexts(rows, schema, count),
});

export function tableReport(): ReportData {
  const [data, samples, again] = [people(3000, 5), people(3000, 6), people(8, 5)];
  return {
    ...common,
    title: 'adult',
    subtitle:
      'Variational autoencoder trained on 26,049 rows of 8 columns on 22 November 2026 in 1 min 12 s.',
    history: history(40),
    scatter: {
      ...scatter(500, 2),
      colour: { name: 'income', values: Array.from({ length: 500 }, (_, i) => (i % 2 ? '<=50K' : '>50K')) },
    },
    samples: tableRows(samples),
    reconstructions: {
      kind: 'pairs',
      original: tableRows(data, 6),
      reconstruction: tableRows(again, 6),
    },
    columns: compareColumns(schema, data, samples),
    notes: [
      'occupation: 5.7 % missing values (?): the model has a mask for them.',
      'id: ignored, every value differs.',
    ],
  };
}
