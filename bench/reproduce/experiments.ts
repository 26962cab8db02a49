/** What is reproduced: the data, the words of `elbo train` and `elbo evaluate` after it, and what was published. */
import { join } from 'node:path';
import type { PresetName } from '../../src/config/index.ts';
import { mnistFolder } from '../sources.ts';

export interface Experiment {
  /** A path; undefined where the data is not at hand. */
  readonly data: () => string | undefined;
  readonly published: string;
  /** The known model on whose page in docs/models it stands (pages.ts). */
  readonly page?: PresetName;
  readonly train: readonly string[];
  readonly evaluate: readonly string[];
}

/** 784-200-200-50 with tanh (Burda et al. 2016, section 5), batches of 100; a cosine in place of 3,280 epochs of steps. */
const burda = (objective: string, epochs: number, ...more: string[]): string[] =>
  [
    '--network mlp --hidden 200,200 --activation tanh --latent 50 --batch-size 100',
    `--objective ${objective} --epochs ${epochs} --patience ${epochs} --validation 0.02 --seed 1`,
    ...more,
  ]
    .join(' ')
    .split(' ');

const nll = ['--samples', '5000', '--quality', '0'];

/** Data that may not be copied: ELBO_DATA names a folder that has it. */
const beside = (path: string) => (): string | undefined =>
  process.env['ELBO_DATA'] && join(process.env['ELBO_DATA'], path);

export const experiments = {
  'mnist-vae': {
    data: mnistFolder,
    published: 'NLL 86.76 (Burda et al. 2016, table 1, VAE, one layer, k = 1)',
    page: 'vae',
    train: burda('elbo', 200, '--learning-rate 0.002'),
    evaluate: nll,
  },
  'mnist-iwae': {
    data: mnistFolder,
    published: 'NLL 84.78 (Burda et al. 2016, table 1, IWAE, one layer, k = 50)',
    page: 'iwae',
    train: burda('iwae', 60, '--samples 50', '--learning-rate 0.002'),
    evaluate: nll,
  },
  'zeisel-nb': {
    data: beside('singlecell/zeisel_1000genes.npz'),
    published: 'below 1268 nats a cell, independent negative binomials with the same split',
    page: 'scVi',
    train: [
      '--likelihood negativeBinomial --hidden 128 --latent 10 --batch-size 64 --epochs 100',
      '--patience 30 --test 0.2 --seed 1',
    ]
      .join(' ')
      .split(' '),
    evaluate: ['--samples', '1000', '--quality', '0'],
  },
} as const satisfies Record<string, Experiment>;
