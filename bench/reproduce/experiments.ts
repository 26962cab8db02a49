/** What is reproduced: the data, the words of `elbo train`, what is measured after it, and what was published. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { PresetName } from '../../src/config/index.ts';
import { mnistFolder } from '../sources.ts';
import { withGaps } from './breast-cancer.ts';
import { disentangled, evaluated, filled, type Measure } from './measures.ts';
import { staticDigits } from './static-digits.ts';

interface Recipe<Name extends string = string> {
  /** A path or a name, for each seed; undefined where the data is not at hand. */
  readonly data: (seed?: number) => string | undefined;
  /** Trained once with each: the figures are then means. */
  readonly seeds?: readonly number[];
  readonly published: string;
  /** The known model on whose page in docs/models it stands (pages.ts). */
  readonly page?: PresetName;
  /** The experiment whose model this one begins with. */
  readonly from?: Name;
  /** The model of peer.py that is trained beside it, once for each of the seeds. */
  readonly peer?: string;
  readonly train: readonly string[];
  /** Of `elbo refit` between the two, where samples are to come from what is fitted; a sheet of them is then made too. */
  readonly refit?: readonly string[];
  readonly measure: Measure;
}

/** Words of a command line. */
const words = (...lines: readonly string[]): string[] => lines.join(' ').split(' ');

/** 784-200-200-50 with tanh (Burda et al. 2016, section 5); a cosine in place of steps over 3,280 epochs of batches of 20. */
const burda = (batch: number, epochs: number, ...more: readonly string[]): string[] =>
  words(
    '--network mlp --hidden 200,200 --activation tanh --latent 50 --validation 0.02',
    `--batch-size ${batch} --epochs ${epochs} --patience ${epochs}`,
    ...more,
  );

/** A bound of weights, from a model above on: Burda et al. (2016, section 5.3) began so as well, and found 84.88 for IWAE. */
const weighted = <From extends string>(
  published: string,
  from: From,
  rows: number,
  train: readonly string[],
) => ({
  data: mnistFolder,
  published,
  from,
  train,
  measure: evaluated(words(`--samples 5000 --rows ${rows} --quality 0`)),
});

/** Three levels of 3 × 3 places. */
const onLadder = (...more: readonly string[]): string[] =>
  words(
    '--network ladder --levels 0,0,0,3 --latent 8 --width 128 --activation silu --batch-size 100 --ema 0.999 --validation 0.02',
    ...more,
  );

/** Six epochs from that VAE. */
const briefly = (objective: string): string[] =>
  burda(50, 6, `--seed 3 --objective ${objective} --learning-rate 0.0005`);

/** 784-300-300-40 with ReLU, beside the same in PyTorch (peer.py) on the same file. */
const fixedDigits = (
  model: string,
  seeds: readonly number[],
  ...more: readonly string[]
): Omit<Recipe, 'page' | 'from'> => ({
  data: staticDigits,
  seeds,
  published: 'beside the same in PyTorch, on the same file',
  peer: model,
  train: words(
    '--network mlp --hidden 300,300 --latent 40 --batch-size 100 --epochs 60 --patience 60',
    '--warmup linear --warmup-fraction 0.2 --validation 0.02',
    ...more,
  ),
  measure: evaluated(words('--samples 1000 --rows 10000 --quality 0')),
});

/** Data that may not be copied: ELBO_DATA names a folder that has it. */
const beside = (path: string) => (): string | undefined => {
  const file = join(process.env['ELBO_DATA'] ?? '', path);
  return process.env['ELBO_DATA'] && existsSync(file) ? file : undefined;
};

const breastCancer = beside('classic/breast_cancer.csv');

/**
 * A published order of MIG, and its size, on pictures of the same kind (Chen et al. 2018, on dSprites). Batches are large because
 * the total correlation is estimated within them. Training begins with ten times the weight of the KL and goes on with the full one at
 * once: where the weight grows instead, several dimensions come into use together and share x, y and scale (README.md).
 */
const onSprites = (published: string, epochs: number, objective: string): Omit<Recipe, 'page' | 'from'> => ({
  data: () => 'sprites',
  seeds: [1, 2, 3, 4, 5],
  published,
  train: words(
    '--network mlp --hidden 400,400 --activation tanh --latent 10 --batch-size 256 --learning-rate 0.002',
    `--epochs ${epochs} --patience ${epochs} --warmup none --validation 0.02 --test 0.02 --objective ${objective}`,
  ),
  measure: disentangled(words('--split all --rows 5000 --samples 0 --quality 0')),
});

/** The epochs with a heavy KL that those go on from. */
const begunOnSprites = (objective: string): Omit<Recipe, 'page' | 'from'> =>
  onSprites('on the way to another', 10, objective);

export const experiments = {
  'mnist-vae-short': {
    data: mnistFolder,
    published: 'NLL 86.76 (Burda et al. 2016, table 1, VAE, one layer, k = 1)',
    page: 'vae',
    train: burda(100, 700, '--learning-rate 0.002 --seed 1'),
    measure: evaluated(words('--samples 5000 --rows 2000 --quality 0')),
  },
  'mnist-vae-warm': {
    data: mnistFolder,
    published:
      'on the way to the next: the warm-up leaves 26 dimensions active where there were 13 without it',
    page: 'vae',
    train: burda(100, 400, '--learning-rate 0.002 --warmup linear --warmup-fraction 0.3 --seed 1'),
    measure: evaluated(words('--samples 500 --rows 1000 --quality 0')),
  },
  'mnist-vae-settled': {
    ...weighted(
      'NLL 86.76 (Burda et al. 2016, table 1, VAE, one layer, k = 1)',
      'mnist-vae-warm',
      10_000,
      burda(100, 1500, '--learning-rate 0.002 --seed 2'),
    ),
    page: 'vae',
  },
  'mnist-iwae-settled': {
    ...weighted(
      'NLL 84.78 (Burda et al. 2016, table 1, IWAE, one layer, k = 50); here by the doubly reparameterised gradient, through 4 of the 50 samples',
      'mnist-vae-settled',
      10_000,
      burda(
        20,
        230,
        '--seed 6 --objective dreg --samples 50 --backward-samples 4 --learning-rate 0.0004 --ema 0.999',
      ),
    ),
    page: 'iwae',
  },
  'mnist-iwae-long': {
    ...weighted(
      'NLL 84.78 (Burda et al. 2016, table 1, IWAE, one layer, k = 50); the same epochs a second time',
      'mnist-iwae-settled',
      10_000,
      burda(
        20,
        230,
        '--seed 7 --objective dreg --samples 50 --backward-samples 4 --learning-rate 0.0004 --ema 0.999',
      ),
    ),
    page: 'iwae',
  },
  'mnist-miwae': {
    ...weighted(
      'log p(x) −84.97 (Rainforth et al. 2018, table 1)',
      'mnist-vae-short',
      2000,
      briefly('miwae --samples 64 --groups 8'),
    ),
    page: 'miwae',
  },
  'mnist-piwae': {
    ...weighted(
      'log p(x) −84.46 (Rainforth et al. 2018, table 1)',
      'mnist-vae-short',
      2000,
      briefly('piwae --samples 64 --groups 8'),
    ),
    page: 'piwae',
  },
  'mnist-ciwae': {
    ...weighted(
      'log p(x) −84.57 (Rainforth et al. 2018, table 1)',
      'mnist-vae-short',
      2000,
      briefly('ciwae --samples 64 --elbo-share 0.05'),
    ),
    page: 'ciwae',
  },
  'mnist-ladder-begun': {
    data: mnistFolder,
    published: 'on the way to the next; it ended after 39 epochs, before log variances were held in bounds',
    train: onLadder(
      '--epochs 118 --patience 118 --learning-rate 0.002 --warmup linear --warmup-fraction 0.08 --seed 1',
    ),
    measure: evaluated(words('--samples 500 --rows 2000 --quality 0')),
  },
  'mnist-ladder': {
    data: mnistFolder,
    published:
      'NLL below 80 after hundreds of epochs (Kingma et al. 2016, table 1, ResNet VAE with IAF: 79.10)',
    page: 'ladderVae',
    from: 'mnist-ladder-begun',
    train: onLadder('--epochs 66 --patience 66 --learning-rate 0.0015 --warmup none --clip 100 --seed 2'),
    measure: evaluated(words('--samples 500 --rows 2000 --quality 0')),
  },
  'mnist-ladder-bent': {
    data: mnistFolder,
    published:
      'on the way to the next; it was stopped after 37 epochs, and went on from its averaged weights',
    from: 'mnist-ladder',
    train: onLadder(
      '--posterior iaf --posterior-steps 2 --posterior-width 320 --dropout 0.05 --epochs 96 --patience 96',
      '--learning-rate 0.001 --warmup none --clip 100 --skip 10000 --seed 3',
    ),
    measure: evaluated(words('--samples 500 --rows 2000 --quality 0')),
  },
  'mnist-ladder-lossy': {
    data: mnistFolder,
    published:
      'NLL 79.10 of a ResNet VAE with IAF (Kingma et al. 2016, table 1); here the averaged weights after 45 of 54 epochs',
    page: 'lossyVae',
    from: 'mnist-ladder-bent',
    train: onLadder(
      '--posterior iaf --posterior-steps 2 --posterior-width 320 --likelihood autoregressiveBernoulli --dropout 0.05',
      '--epochs 54 --patience 54 --learning-rate 0.0008 --warmup none --clip 100 --skip 10000 --seed 4',
    ),
    measure: evaluated(words('--samples 500 --rows 2000 --quality 0')),
  },
  'static-vae': { ...fixedDigits('vae', [1, 2, 3, 4, 5, 6, 7, 8, 9]), page: 'vae' },
  'static-vampPrior': {
    ...fixedDigits('vampPrior', [1, 2, 3], '--prior vampPrior --prior-components 500'),
    page: 'vampVae',
  },
  'static-iaf': { ...fixedDigits('iaf', [1, 2, 3], '--posterior iaf'), page: 'iafVae' },
  'mnist-vq': {
    data: mnistFolder,
    published:
      'no code of the book unused, samples that can be read (van den Oord et al. 2017, sections 3 and 4.1)',
    page: 'vqVae',
    train: words('--posterior vq --latent 64 --posterior-codes 128 --epochs 20 --patience 20 --seed 1'),
    refit: words('--sampler autoregressive'),
    measure: evaluated(words('--samples 0 --quality 0')),
  },
  'zeisel-nb': {
    data: beside('singlecell/zeisel_1000genes.npz'),
    published:
      'below 1268 nats a cell, independent negative binomials with the same split (here with `--likelihood negativeBinomial`)',
    page: 'scVi',
    train: words(
      '--likelihood negativeBinomial --hidden 128 --latent 10 --batch-size 64 --epochs 100',
      '--patience 30 --test 0.2 --seed 1',
    ),
    measure: evaluated(words('--samples 1000 --quality 0')),
  },
  'sprites-vae-begun': begunOnSprites('elbo --beta 10'),
  'sprites-vae': {
    ...onSprites('MIG below those of β-VAE and β-TCVAE (Chen et al. 2018)', 30, 'elbo'),
    page: 'vae',
    from: 'sprites-vae-begun',
  },
  'sprites-betaVae-begun': begunOnSprites('elbo --beta 40'),
  'sprites-betaVae': {
    ...onSprites('MIG between those of the VAE and β-TCVAE (Chen et al. 2018)', 30, 'elbo --beta 4'),
    page: 'betaVae',
    from: 'sprites-betaVae-begun',
  },
  'sprites-betaTcvae-begun': begunOnSprites('betaTcvae --tc 200 --mutual-information 10 --dimension-kl 10'),
  'sprites-betaTcvae': {
    ...onSprites(
      'MIG about 0.5, above those of β-VAE and the VAE (Chen et al. 2018)',
      30,
      'betaTcvae --tc 6',
    ),
    page: 'betaTcvae',
    from: 'sprites-betaTcvae-begun',
  },
  'breast-cancer': {
    data: (seed = 1) => {
      const file = breastCancer();
      return file && withGaps(file, seed);
    },
    seeds: [1, 2, 3, 4, 5],
    published:
      'mean square error 0.287 of half of all entries, standardised (Mattei & Frellsen 2019, MIWAE on the breast data); missForest 0.314',
    page: 'iwae',
    train: words(
      '--objective iwae --samples 20 --network mlp --hidden 128,128 --activation tanh --latent 10 --batch-size 64',
      '--epochs 300 --patience 300 --warmup none --validation 0 --test 0',
    ),
    measure: filled(breastCancer, words('--samples 5000')),
  },
} as const satisfies Record<string, Recipe>;

export type ExperimentName = keyof typeof experiments;
export type Experiment = Recipe<ExperimentName>;
