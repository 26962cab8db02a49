/** One row: what its ELBO is made of, how unusual that is, what the model keeps of it, and which training rows are like it. */
import { type Dataset, modelFields, type Rows, type Split } from '../../data/index.ts';
import { UserError } from '../../errors.ts';
import { rankOf } from '../../metrics/index.ts';
import { stream } from '../../random/index.ts';
import { createBuffers, wanted } from '../../train/index.ts';
import { draw } from '../decode.ts';
import { encodeBatch } from '../encode.ts';
import { encodeInto } from '../encoding.ts';
import type { Tell } from '../evaluate/subject.ts';
import type { Model } from '../model.ts';
import { countRows } from '../rows.ts';
import { distanceIn, labelOf, type Neighbourhood, neighboursOf, oneRow } from './neighbours.ts';
import { hasValue, type Seen, termRows } from './seen.ts';
import { dimensionName } from './walk.ts';

/** A term of the ELBO, nats, beside the same term of the rows that the row is compared with. */
export interface Term {
  readonly value: number;
  /** Mean over those rows. */
  readonly mean: number;
  /** Share of those rows where it is lower. */
  readonly rank: number;
}

export interface FieldTerm extends Term {
  readonly field: string;
}

export interface KlTerm extends Term {
  /** Of what: z_1, z_2 …, or what else the KL is known by. */
  readonly name: string;
  /** Of a dimension: what the row is encoded as, and how many standard deviations from the mean of all codes that is. */
  readonly code?: number;
  readonly sigmas?: number;
}

export interface RowExplanation {
  /** Its number in the data, from 0. */
  readonly row: number;
  readonly split: Split;
  /** Where the data has labels beside the fields. */
  readonly label?: string;
  readonly elbo: Term;
  /** log p(x|z) by field, the most below its mean first. They and the KL add up to the ELBO. */
  readonly fields: readonly FieldTerm[];
  /** Fields that the row has no value in: they add nothing. */
  readonly missing: readonly string[];
  readonly kl: readonly KlTerm[];
  /** What it is encoded as, [Z]. */
  readonly code: Float32Array;
  /** What it is given, where the model is. */
  readonly given: Rows | undefined;
  readonly original: Rows;
  /** The mean of q(z|x) decoded to the mean of p(x|z). */
  readonly reconstruction: Rows;
  readonly nearest: Neighbourhood;
}

export interface Located {
  readonly row: number;
  readonly split: Split;
  readonly label?: string;
  readonly values: Rows;
}

const SPLITS: readonly Split[] = ['train', 'validation', 'test'];
const READ = 500;

/** The rows with these numbers, from 0, as `encode` has them. */
export async function locate(model: Model, data: Dataset, wantedRows: readonly number[]): Promise<Located[]> {
  const total = countRows(data, SPLITS);
  for (const row of wantedRows)
    if (!(Number.isInteger(row) && row >= 0 && row < total))
      throw new UserError(
        `row ${row}: ${data.name} has ${total.toLocaleString('en')} rows, numbered from 0 to ${total - 1} as elbo encode has them`,
      );
  const found = new Map<number, Located>();
  const asked = new Set(wantedRows);
  for (const split of SPLITS)
    for await (const batch of data.batches({ split, batchSize: READ })) {
      if (found.size === asked.size) break;
      for (const [i, row] of batch.ids.entries())
        if (asked.has(row))
          found.set(row, { row, split, ...labelOf(data, row), values: oneRow(model, batch, i) });
    }
  return [...asked].map((row) => found.get(row)!);
}

export interface RowOptions {
  /** Draws of z that the ELBO is a mean over. */
  readonly samples: number;
  readonly neighbours: number;
  readonly seed: number;
  /** Where neighbours are looked for, and whether the rows explained are among them. */
  readonly among: { readonly data: Dataset; readonly splits: readonly Split[]; readonly isSame: boolean };
}

export async function rowFindings(
  model: Model,
  seen: Seen,
  located: readonly Located[],
  { samples, neighbours, seed, among }: RowOptions,
  tell: Tell,
): Promise<RowExplanation[]> {
  const parts: Omit<RowExplanation, 'nearest'>[] = [];
  for (const one of located) parts.push(await explained(model, seen, one, { samples, seed }));
  const { distance } = distanceIn(model.vae.spec.posterior.space, seen.spread.deviation);
  const queries = parts.map(({ row, code, original }) => ({
    row: among.isSame ? row : undefined,
    code,
    values: original,
  }));
  const search = { splits: among.splits, most: neighbours, distance, seed };
  const found =
    neighbours > 0 ? await neighboursOf(model, among.data, queries, search, tell) : queries.map(() => NONE);
  return parts.map((part, i) => ({ ...part, nearest: found[i]! }));
}

const NONE: Neighbourhood = { neighbours: [], rows: { count: 0, columns: [] } };

async function explained(
  model: Model,
  seen: Seen,
  { row, split, label, values }: Located,
  { samples, seed }: { readonly samples: number; readonly seed: number },
): Promise<Omit<RowExplanation, 'nearest'>> {
  const batch = { rows: values, index: Int32Array.of(0), ids: Float64Array.of(row) };
  const { mean: code, conditions: given } = await encodeBatch(model, batch, seed);
  const own = await meanTerms(model, { row, values }, samples, seed);
  const schemaFields = modelFields(model.schema);
  const isThere = (name: string) => {
    const j = schemaFields.findIndex((field) => field.name === name);
    return hasValue(schemaFields[j]!, values.columns[j]![0]!);
  };
  const names = Object.keys(own.fields);
  const fields = names
    .filter(isThere)
    .map((field) => ({ field, ...beside(own.fields[field]!, seen.parts.fields[field]!) }))
    .sort((a, b) => a.value - a.mean - (b.value - b.mean));
  return {
    row,
    split,
    ...(label !== undefined && { label }),
    elbo: beside(own.elbo, seen.parts.elbo),
    fields,
    missing: names.filter((name) => !isThere(name)),
    kl: klTerms(own.kl, seen, code),
    code,
    given,
    original: values,
    reconstruction: await draw(model, code, { seed, at: 0, mean: true, clip: true, given }),
  };
}

/** The terms of one row, means over draws of z. */
async function meanTerms(
  model: Model,
  { row, values }: Pick<Located, 'row' | 'values'>,
  samples: number,
  seed: number,
) {
  const { vae, codec } = model;
  const session = await model.session('evaluation');
  const buffers = createBuffers(vae.spec, session.noises, samples);
  const copies = {
    rows: values,
    index: new Int32Array(samples),
    ids: new Float64Array(samples).fill(row),
  };
  encodeInto(codec, copies, buffers, { kind: 'row', seed });
  buffers.draw(samples, (name) => stream(seed, `explain ${name}`, row));
  const each = termRows(vae, await session.run(wanted(session, buffers.values(samples))), samples);
  const means = (of: Readonly<Record<string, Float64Array>>) =>
    Object.fromEntries(Object.entries(of).map(([name, all]) => [name, meanOf(all)]));
  return { elbo: meanOf(each.elbo), fields: means(each.fields), kl: means(each.kl) };
}

const meanOf = (values: Float64Array): number => values.reduce((a, b) => a + b, 0) / values.length;

function beside(value: number, others: Float64Array): Term {
  const there = others.filter((v) => !Number.isNaN(v)).sort();
  return { value, mean: meanOf(there), rank: rankOf(there, value) };
}

/** The costliest first. */
function klTerms(
  own: Readonly<Record<string, number>>,
  { parts, spread }: Seen,
  code: Float32Array,
): KlTerm[] {
  const places = new Map(Array.from(code, (_, j) => [dimensionName(j), j]));
  return Object.entries(own)
    .map(([name, value]) => {
      const j = places.get(name);
      const term = { name, ...beside(value, parts.kl[name]!) };
      if (j === undefined) return term;
      return { ...term, code: code[j]!, sigmas: (code[j]! - spread.mean[j]!) / spread.deviation[j]! };
    })
    .sort((a, b) => b.value - a.value);
}
