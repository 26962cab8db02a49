/** Writes the figures of docs/models/*.md from results.json. npx tsx bench/reproduce/pages.ts */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { presetNames } from '../../src/config/index.ts';
import { type Experiment, experiments } from './experiments.ts';

interface Result {
  readonly published: string;
  readonly train: string;
  readonly evaluate: string;
  readonly figures: {
    readonly rows: number;
    readonly negativeElbo: number;
    readonly logLikelihood?: Readonly<Record<'mean' | 'low' | 'high' | 'samples', number>>;
  };
  /** What PyTorch found beside it. */
  readonly peer?: { readonly negativeElbo: number; readonly logLikelihood: number } | string;
}

const results = JSON.parse(readFileSync(new URL('results.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, Result>
>;

const NONE = 'No published figure has been reproduced with this model here yet.';

/** −log p(x) with its interval where it was measured, and −ELBO: nats an example, of test rows. */
function measured({ rows, negativeElbo, logLikelihood: l }: Result['figures']): string {
  const nll = l
    ? `−log p(x) ${(-l.mean).toFixed(2)} (95 %: ${(-l.high).toFixed(2)} to ${(-l.low).toFixed(2)}, ${l.samples.toLocaleString('en')} samples), `
    : '';
  return `${nll}−ELBO ${negativeElbo.toFixed(2)}, ${rows.toLocaleString('en')} test rows`;
}

const ofPeer = (peer: Result['peer']): string =>
  typeof peer === 'object'
    ? `; PyTorch: −log p(x) ${(-peer.logLikelihood).toFixed(2)}, −ELBO ${peer.negativeElbo.toFixed(2)}`
    : '';

function figuresOf(model: string): string {
  const own = Object.entries<Experiment>(experiments).flatMap(([name, { page }]) => {
    const result = page === model ? results[name] : undefined;
    return result ? [{ name, ...result }] : [];
  });
  if (own.length === 0) return NONE;
  const rows = own.map(
    ({ published, figures, peer }) => `| ${published} | ${measured(figures)}${ofPeer(peer)} |`,
  );
  const commands = own.flatMap(({ name, train, evaluate }) => [
    `npx tsx bench/reproduce/run.ts ${name}   # does both:`,
    `elbo train data --out ${name}.model ${train}`,
    `elbo evaluate ${name}.model data ${evaluate}`,
  ]);
  return ['| published | here |', '|---|---|', ...rows, '', '```sh', ...commands, '```'].join('\n');
}

for (const model of presetNames) {
  const path = fileURLToPath(new URL(`../../docs/models/${model}.md`, import.meta.url));
  const marked = /(<!-- made by bench\/reproduce\/pages\.ts -->\n)[\s\S]*?(\n<!-- end -->)/;
  writeFileSync(
    path,
    readFileSync(path, 'utf8').replace(marked, (_, before, after) => before + figuresOf(model) + after),
  );
}
