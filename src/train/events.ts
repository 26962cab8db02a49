/** What training tells while it runs: the loop prints nothing, whoever listens does. */

/** Means over examples, in nats. */
export interface Means {
  /** −ELBO: −logPx + kl, without weights. */
  readonly negativeElbo: number;
  readonly logPx: number;
  readonly kl: number;
}

/** How evenly the entries of codebooks are used. */
export interface CodeUse {
  /** Of all codebooks together. */
  readonly entries: number;
  /** Those that some example is made of. */
  readonly used: number;
  /** exp of the entropy of the use, a mean over codebooks: so many entries, evenly used, would tell as much apart. */
  readonly perplexity: number;
}

/** Before the first step. */
export interface StartEvent {
  readonly type: 'start';
  readonly parameters: number;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  /** Where training goes on from, when resumed. */
  readonly step: number;
}

/** After every step. */
export interface StepEvent extends Means {
  readonly type: 'step';
  readonly step: number;
  readonly steps: number;
  /** The epoch under way, from 1. */
  readonly epoch: number;
  readonly loss: number;
  /** What the objective and the model's parts add to the loss, by name, nats. */
  readonly terms: Readonly<Record<string, number>>;
  /** Weight of the KL at this step. */
  readonly beta: number;
  readonly learningRate: number;
  readonly gradientNorm: number;
  readonly skipped: boolean;
}

/** One line of history.jsonl. */
export interface EpochRecord {
  readonly epoch: number;
  readonly step: number;
  readonly train: Means;
  readonly validation: Means;
  /** Of an objective made of importance weights: log 1/K Σₖ wₖ of the validation rows, a bound on log p(x). */
  readonly bound?: number | undefined;
  /** What makes an epoch better than another: the validation objective with the full weight of the KL; of weights −bound. */
  readonly watched: number;
  /** KL of each latent dimension on the validation rows, nats. */
  readonly klPerDimension: readonly number[];
  readonly activeUnits: number;
  /** Of codes that are inferred without doubt, on the validation rows. */
  readonly codes?: CodeUse | undefined;
  /** See `ElboResult`; of the validation rows. */
  readonly accuracy?: number | undefined;
  /** Whether this is the best epoch so far. */
  readonly best: boolean;
  /** Means over the training rows of what the objective and the model's parts add to the loss, by name, nats. */
  readonly terms: Readonly<Record<string, number>>;
  readonly learningRate: number;
  readonly beta: number;
}

export interface EpochEvent extends EpochRecord {
  readonly type: 'epoch';
  readonly seconds: number;
}

/** A diagnosis in words: collapse, divergence, overfitting. */
export interface NoticeEvent {
  readonly type: 'notice';
  readonly message: string;
}

export interface CheckpointEvent {
  readonly type: 'checkpoint';
  readonly step: number;
}

export type StopReason = 'finished' | 'early stopping' | 'diverged' | 'stopped';

/** After the last step. */
export interface EndEvent {
  readonly type: 'end';
  readonly reason: StopReason;
  readonly epochs: number;
  readonly bestEpoch: number;
  readonly seconds: number;
}

export type FitEvent = StartEvent | StepEvent | EpochEvent | NoticeEvent | CheckpointEvent | EndEvent;
