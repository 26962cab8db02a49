/** What a report shows, as plain data: everything is already measured, nothing here computes. */
import type { CodeUse, EpochRecord } from '../train/events.ts';

/** One line of a table of facts. */
export interface Fact {
  readonly label: string;
  readonly value: string;
}

export interface Figure {
  readonly name: string;
  readonly value: number;
  /** "nats", "bits per dimension", or '' for a plain number. */
  readonly unit: string;
  /** How it was measured. */
  readonly protocol: string;
}

export interface Pictures {
  readonly kind: 'pictures';
  /** A contact sheet. */
  readonly png: Uint8Array;
  readonly caption: string;
}

/** Rows as a person reads them: texts, '' where missing. */
export interface TableRows {
  readonly kind: 'table';
  readonly columns: readonly { readonly name: string; readonly numeric: boolean }[];
  readonly rows: readonly (readonly string[])[];
}

/** Pairs of rows, original above reconstruction. */
export interface TablePairs {
  readonly kind: 'pairs';
  readonly original: TableRows;
  readonly reconstruction: TableRows;
}

/** The distribution of one column in the data and in samples, as shares that add up to 1. */
export type ColumnComparison = {
  readonly name: string;
  /** 1 − Kolmogorov–Smirnov distance for numbers, 1 − total variation for categories. */
  readonly similarity: number;
} & (
  | {
      readonly kind: 'number';
      /** Edges of the bins, one more than there are bins; milliseconds since 1970 where `dates`. */
      readonly edges: readonly number[];
      readonly dates: boolean;
      readonly data: readonly number[];
      readonly samples: readonly number[];
    }
  | {
      readonly kind: 'category';
      readonly names: readonly string[];
      readonly data: readonly number[];
      readonly samples: readonly number[];
    }
);

/** A point for each row. */
export interface Scatter {
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly xLabel: string;
  readonly yLabel: string;
  /** What to colour by: a name for each point, '' = none. */
  readonly colour?: { readonly name: string; readonly values: readonly string[] };
}

export interface ReportData {
  readonly title: string;
  /** One sentence: what was trained on what, when. */
  readonly subtitle: string;
  readonly figures: readonly Figure[];
  /** The rows that epochs are judged by and that the page shows: those of training where there are none for validation. */
  readonly watched: 'validation' | 'training';
  readonly history: readonly EpochRecord[];
  /** KL of each latent dimension on these rows, nats, and above which one counts as active. */
  readonly klPerDimension: readonly number[];
  /** What they are of, where it is not known by dimension. */
  readonly klOf: 'dimension' | 'level' | 'whole';
  readonly activeAbove: number;
  /** In place of these where z is a code, whose KL is the same for all. */
  readonly codes?: CodeUse | undefined;
  readonly scatter?: Scatter;
  readonly samples?: Pictures | TableRows;
  readonly reconstructions?: Pictures | TablePairs;
  readonly columns?: readonly ColumnComparison[];
  /** The model: data, architecture, training. */
  readonly facts: readonly Fact[];
  /** Fields of the data, choices made, findings: one sentence each. */
  readonly fields: readonly string[];
  readonly choices: readonly string[];
  readonly notes: readonly string[];
}
