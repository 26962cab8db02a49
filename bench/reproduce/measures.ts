/** What is measured of a trained model: by `elbo evaluate`, by how it fills gaps, by how it keeps known factors apart. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SPRITE_FACTORS, sprites } from '../../src/data/index.ts';
import { scoreFilling } from './breast-cancer.ts';
import { ROOT } from './static-digits.ts';

/** Runs one verb of the command line and gives its last JSON line. */
export type Elbo = (words: readonly string[]) => Promise<Record<string, unknown>>;

export type Figures = Readonly<Record<string, unknown>>;

export interface Measure {
  /** Words after `elbo verb model data`. */
  readonly verb: 'evaluate' | 'impute';
  readonly words: readonly string[];
  readonly figures: (elbo: Elbo, model: string, data: string) => Promise<Figures>;
}

export const evaluated = (words: readonly string[]): Measure => ({
  verb: 'evaluate',
  words,
  figures: async (elbo, model, data) => {
    const found = await elbo(['evaluate', model, data, ...words]);
    const { rows, negativeElbo, logPx, kl, logLikelihood, codes } = found;
    const activeUnits = (found['figures'] as Record<string, { value: number }>)['activeUnits']?.value;
    return { rows, negativeElbo, logPx, kl, activeUnits, logLikelihood, codes };
  },
});

/** `complete`: the file that the gaps were made in. */
export const filled = (complete: () => string | undefined, words: readonly string[]): Measure => ({
  verb: 'impute',
  words,
  figures: async (elbo, model, data) => {
    const out = `${model}.csv`;
    await elbo(['impute', model, data, '--out', out, '--overwrite', ...words]);
    return { ...scoreFilling(complete()!, data, out) };
  },
});

/** Scores of all five factors of the sprites, and MIG of four: the published figures leave the shape out. */
export const disentangled = (words: readonly string[]): Measure => ({
  verb: 'evaluate',
  words,
  figures: async (elbo, model, data) => {
    const all = await elbo(['evaluate', model, data, ...words]);
    const without = await elbo(['evaluate', model, data, ...words, '--factors', factorsWithoutShape()]);
    const of = ({ figures }: Record<string, unknown>, name: string) =>
      (figures as Record<string, { value: number }>)[name]!.value;
    const { rows, negativeElbo, logPx, kl } = all;
    const scores = ['mig', 'dciDisentanglement', 'sap', 'factorVae'].map((name) => [name, of(all, name)]);
    const own = Object.fromEntries(scores) as Figures;
    return { rows, negativeElbo, logPx, kl, ...own, migWithoutShape: of(without, 'mig') };
  },
});

function factorsWithoutShape(): string {
  const path = join(ROOT, 'sprites-without-shape.csv');
  const names = (Object.keys(SPRITE_FACTORS) as (keyof typeof SPRITE_FACTORS)[]).filter(
    (name) => name !== 'shape',
  );
  const { factors, count } = sprites();
  const rows = Array.from({ length: count }, (_, i) => names.map((name) => factors[name][i]).join());
  writeFileSync(path, `${[names.join(), ...rows].join('\n')}\n`);
  return path;
}
