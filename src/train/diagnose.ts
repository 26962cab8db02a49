/** What is wrong with a training, in words. */
import type { klOf } from '../vae/index.ts';
import { activeUnits } from './evaluate.ts';
import type { CodeUse, Means } from './events.ts';
import type { StepKnobs, StepResult } from './learner.ts';

/** Why a step's numbers are not finite, or undefined where they are. */
export function divergence(
  { logPx, kl, terms, loss, gradientNorm }: StepResult,
  step: number,
  { learningRate }: StepKnobs,
): string | undefined {
  const first = Object.entries({
    'log p(x|z)': logPx,
    KL: kl,
    ...terms,
    loss,
    'the gradient': gradientNorm,
  }).find(([, v]) => !Number.isFinite(v));
  if (!first) return undefined;
  return (
    `diverged at step ${step}: ${first[0]} is ${first[1] === gradientNorm ? 'not finite' : first[1]}. ` +
    `The weights before this step are kept. Try a lower learning rate (now ${learningRate}), --clip 1, or look for extreme values in the data.`
  );
}

/**
 * Why the figures that an epoch is judged by, of validation rows or else training rows, are not finite, or undefined where they
 * are: such an epoch can be neither the best nor compared.
 */
export function badValidation({ logPx, kl }: Means, epoch: number): string | undefined {
  const first = Object.entries({ 'log p(x|z)': logPx, KL: kl }).find(([, v]) => !Number.isFinite(v));
  if (!first) return undefined;
  return (
    `diverged in epoch ${epoch}: ${first[0]} of the rows it is judged by is ${first[1]}. The best weights before are kept. ` +
    'Try a lower learning rate, --clip 1, or look for extreme values in these rows.'
  );
}

/** A warning where the KL has vanished in all, or in most, latent dimensions or levels; undefined where it has not. */
export function collapse(
  klPerDimension: readonly number[],
  beta: number,
  of: ReturnType<typeof klOf> = 'dimension',
): string | undefined {
  const all = klPerDimension.length;
  const active = activeUnits(klPerDimension);
  if (all < 2 || active > all / 4) return undefined;
  const what =
    active === 0
      ? 'the posterior has collapsed: no latent dimension carries information'
      : `only ${active} of ${all} ${of === 'level' ? 'levels' : 'latent dimensions'} are active`;
  const cure =
    beta > 1
      ? `a smaller --beta (now ${beta})`
      : '--warmup linear, --free-bits 0.1, or fewer latent dimensions (--latent)';
  return `${what} (KL above 0.01 nats). ${active === 0 ? 'Try' : 'If samples or reconstructions are poor, try'} ${cure}.`;
}

/** A warning where most entries of the codebooks are never used; undefined where they are. */
export function idleCodes({ entries, used, perplexity }: CodeUse): string | undefined {
  if (used > entries / 2) return undefined;
  return (
    `only ${used} of ${entries} codes are in use (perplexity ${perplexity.toFixed(1)}). As few would do as well; ` +
    'a higher --posterior-revive (vq, residualVq) or --posterior-entropy (lfq) spreads the use.'
  );
}

const FEW = 0.1; // of the steps of an epoch

/** A warning where spikes of the gradient are no longer the exception; undefined where they are. */
export function manySkipped(skipped: number, steps: number, skip: number | undefined): string | undefined {
  if (skipped <= FEW * steps) return undefined;
  return `${skipped} of ${steps} steps were left out, because the norm of their gradient was above --skip ${skip}: choose a larger one.`;
}
