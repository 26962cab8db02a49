/** Codes against factors of variation, where these are known. */
import { type Dataset, type Factor, readFactors, type Split } from '../../data/index.ts';
import { type Coded, disentanglement } from '../../metrics/index.ts';
import { encodeBatch } from '../encode.ts';
import type { Model } from '../model.ts';
import { countRows } from '../rows.ts';
import { type FigureName, type Findings, figuresOf, leftOut, type Measured } from './figures.ts';
import { drawSubject, type Tell } from './subject.ts';

const READ = 500;
const LEAST = 200;

export interface FactorOptions {
  /** Table of factors, a row for each row of the data. */
  readonly path: string | undefined;
  /** At most so many rows. */
  readonly rows: number;
  readonly seed: number;
}

export async function disentanglementFindings(
  model: Model,
  data: Dataset,
  splits: readonly Split[],
  { path, rows, seed }: FactorOptions,
  tell: Tell,
): Promise<Findings> {
  const all = figuresOf('disentanglement', model.codec);
  const total = Object.values(data.counts).reduce((a, b) => a + b, 0);
  const factors = path === undefined ? data.factors : await readFactors(path, total);
  if (!factors) return leftOut(all, 'no factors of variation are known: --factors factors.csv gives them');
  const coded = await codesWith(model, data, splits, factors, { rows, seed }, tell);
  if (coded.count < LEAST)
    return leftOut(all, `${coded.count} rows have all their factors, and ${LEAST} are needed`);
  const scores = disentanglement(coded);
  if (!scores) return leftOut(all, 'the codes do not vary, or the factors do not');
  const protocol =
    `posterior means of ${coded.count.toLocaleString('en')} of ${countRows(data, splits).toLocaleString('en')} rows against ` +
    `${factors.map(({ name, ordered }) => `${name}${ordered ? '' : ' (names)'}`).join(', ')}; intervals by leaving out tenths of the rows`;
  return {
    figures: withProtocols(scores, factors.length),
    absent: {},
    protocols: { disentanglement: protocol },
  };
}

const PROTOCOLS = {
  mig: 'codes in 20 bins of one width, entropies corrected for few rows (Chen et al. 2018; Miller 1955)',
  dciDisentanglement: 'importances of ten bagged regression trees a factor (Eastwood & Williams 2018)',
  dciCompleteness: 'importances of ten bagged regression trees a factor (Eastwood & Williams 2018)',
  dciInformativeness:
    'R² of amounts and accuracy above chance of names, on the other half of the rows (Eastwood & Williams 2018)',
  sap: 'R² of amounts, balanced accuracy above chance of names (Kumar et al. 2018)',
  modularity: 'by the same information as MIG, uninformed dimensions left out (Ridgeway & Mozer 2018)',
  factorVae: '1,000 votes of 64 rows, judged on 1,000 others (Kim & Mnih 2018)',
  betaVae: '1,000 differences of 64 pairs, judged on 1,000 others (Higgins et al. 2017)',
} as const;

function withProtocols(
  scores: NonNullable<ReturnType<typeof disentanglement>>,
  count: number,
): Findings['figures'] {
  const entries = (Object.keys(PROTOCOLS) as (keyof typeof PROTOCOLS)[]).map(
    (name): [FigureName, Measured] => {
      const guess =
        name === 'factorVae' || name === 'betaVae' ? { beside: { value: 1 / count, what: 'by chance' } } : {};
      return [name, { ...scores[name], ...guess, protocol: PROTOCOLS[name] }];
    },
  );
  return Object.fromEntries(entries);
}

/** Rows of which every factor is known. */
async function codesWith(
  model: Model,
  data: Dataset,
  splits: readonly Split[],
  factors: readonly Factor[],
  { rows, seed }: { readonly rows: number; readonly seed: number },
  tell: Tell,
): Promise<Coded> {
  const { latent } = model.vae.spec;
  const subject = await drawSubject(model, data, splits, { most: rows, seed });
  const known = Array.from(subject.ids, (id) => factors.every(({ values }) => !Number.isNaN(values[id]!)));
  const codes: Float32Array[] = [];
  let at = 0;
  for await (const batch of subject.data.batches({ split: 'test', batchSize: READ })) {
    const { mean } = await encodeBatch(model, batch, seed);
    for (let i = 0; i < batch.index.length; i++)
      if (known[at + i]) codes.push(mean.subarray(i * latent, (i + 1) * latent));
    at += batch.index.length;
    tell({ stage: 'codes for factors', done: at, total: subject.count });
  }
  const out = new Float32Array(codes.length * latent);
  codes.forEach((code, i) => {
    out.set(code, i * latent);
  });
  const ids = subject.ids.filter((_, i) => known[i]);
  return {
    count: ids.length,
    width: latent,
    codes: out,
    factors: factors.map(({ name, ordered, values }) => ({
      name,
      ordered,
      values: Float64Array.from(ids, (id) => values[id]!),
    })),
  };
}
