/** A profile in a sentence: where most of the time goes, and what someone could change about it. */
import type { ProfilePart, ProfileSummary, Work } from './profile.ts';

export interface Threads {
  readonly threads: number;
  /** How many there are when nobody says. */
  readonly usual: number;
}

interface Situation extends Threads {
  readonly rows: number;
}

const SMALL_BATCH = 64; // rows, below which a product reads its weights for little work

export function adviceOn({ parts, rows }: ProfileSummary, threads: Threads): string {
  const largest = parts.reduce((a, b) => (b.seconds > a.seconds ? b : a));
  const start = largest.share > 0.5 ? 'Most of a step' : 'The largest part of a step';
  const percent = Math.round(100 * largest.share);
  return `${start} (${percent} %) is ${SENTENCES[largest.work](largest, { ...threads, rows })}.`;
}

const SENTENCES: Readonly<Record<Work, (part: ProfilePart, situation: Situation) => string>> = {
  'matrix products': ({ gflops = 0 }, situation) => {
    const batch = situation.rows < SMALL_BATCH ? ['a larger --batch-size would speed them up'] : [];
    const remedies = [...moreThreads(situation), ...batch, 'a smaller network would have fewer of them'];
    return `matrix products, at ${Number(gflops.toPrecision(3))} GFLOP/s: ${remedies.join('; ')}`;
  },
  'gathers and patches': (_, situation) =>
    `gathers, mostly of the patches that convolutions multiply: ${parallel(situation, 'fewer channels or smaller pictures (--size) have fewer of them')}`,
  'elementwise arithmetic': (_, situation) =>
    `elementwise arithmetic, which waits for memory: ${parallel(situation, SMALLER)}`,
  reductions: (_, situation) => `sums and softmaxes: ${parallel(situation, SMALLER)}`,
  'copies and reshapes': (_, situation) =>
    `copies of values into other layouts: ${parallel(situation, SMALLER)}`,
  'other nodes': (_, situation) => `nodes of other kinds: ${parallel(situation, SMALLER)}`,
  'between nodes': ({ nodes }) =>
    `the time between the ${nodes} nodes of the graph, the same for a batch of any size: with a larger --batch-size an epoch has fewer steps`,
  'reading rows': () => 'waiting for rows to be read: with a larger --memory they are read once',
  'batch assembly': () =>
    'turning rows into numbers, on one thread: fewer columns (--ignore) or smaller pictures (--size) take less',
  noise: () => 'drawing noise, on one thread: fewer latent dimensions (--latent) take less',
  'gradient norm': () => `the norm of the gradient, ${BY_PARAMETERS}`,
  optimiser: () => `the optimiser, ${BY_PARAMETERS}`,
};

const SMALLER = 'a smaller network has less of it';
const BY_PARAMETERS =
  'which grows with the parameters and not with the batch: with a larger --batch-size an epoch has fewer steps';

const moreThreads = ({ threads, usual }: Threads): string[] =>
  threads < usual ? [`more threads (--threads ${usual}) would share them`] : [];

const parallel = (situation: Threads, otherwise: string): string =>
  [...moreThreads(situation), otherwise].join('; ');
