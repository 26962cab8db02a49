/** What the figures mean together, in sentences. */
import { THIN } from '../../metrics/index.ts';
import type { FigureName, Whole } from './figures.ts';

type Figures = Whole['figures'];
const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

/** Sentences about what is wrong or worth knowing; nothing where all is well. */
export const diagnose = (figures: Figures): string[] =>
  [collapsed, saturated, holed, unlike, few, amiss, missed].flatMap((rule) => rule(figures) ?? []);

type Rule = (figures: Figures) => string | undefined;

const collapsed: Rule = ({ activeUnits, kl }) => {
  if (!activeUnits?.beside) return undefined;
  const [active, all] = [activeUnits.value, activeUnits.beside.value];
  if (active === 0)
    return 'The posterior has collapsed: no latent dimension carries information, and every row is decoded alike.';
  return active <= all / 4
    ? `Only ${active} of ${all} latent dimensions carry information (${kl!.value.toFixed(1)} nats in all); the others are the prior and cost nothing.`
    : undefined;
};

/** A mixture of N posteriors cannot tell more than N rows apart. */
const saturated: Rule = ({ mutualInformation, mutualInformationAtMost, totalCorrelation }) =>
  mutualInformation && mutualInformationAtMost && !totalCorrelation
    ? `Every one of these rows can be told from its code: I(x; z) is somewhere between ${mutualInformation.value.toFixed(1)} and ${mutualInformationAtMost.value.toFixed(1)} nats; more --rows narrow that.`
    : undefined;

const holed: Rule = ({ holes }) =>
  holes && holes.low! > 2 * THIN
    ? `${percent(holes.value)} of the draws of z fall where codes hardly ever are (${percent(THIN)} would, were codes spread like them): ` +
      'there are holes, and samples from there are unlike any row. elbo refit fits a sampler to the codes; a prior that is learned, or more weight on the KL, fills them in training.'
    : undefined;

const unlike: Rule = ({ holes, priorDiscrepancy }) =>
  priorDiscrepancy &&
  priorDiscrepancy.low! > 0 &&
  !(holes && holes.low! > 2 * THIN) &&
  priorDiscrepancy.value > 0.01
    ? 'The codes together are not spread as the draws of z are (MMD² is above 0).'
    : undefined;

/** Few samples with all the weight mean that log p(x) would still rise. */
const few: Rule = ({ effectiveSamples }) =>
  effectiveSamples && effectiveSamples.value < 10 && effectiveSamples.beside!.value > 10
    ? `log p(x) rests on ${effectiveSamples.value.toFixed(1)} of ${effectiveSamples.beside!.value.toLocaleString('en')} importance samples for a row and would still rise: more --samples.`
    : undefined;

const amiss: Rule = (figures) => below(figures, 'precision', 'Samples lie where no data does');
const missed: Rule = (figures) => below(figures, 'recall', 'Samples miss where data lies');

/** Worse than training rows would be, beyond the interval. */
function below(figures: Figures, name: FigureName, what: string): string | undefined {
  const figure = figures[name];
  if (!figure?.beside || figure.high! > 0.9 * figure.beside.value) return undefined;
  return `${what}: ${name} ${percent(figure.value)}, where training rows would have ${percent(figure.beside.value)}.`;
}
