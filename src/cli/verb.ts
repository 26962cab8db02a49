/** What a command is made of: its words, its flags, and the function that parses nothing but calls and prints. */
import type { Flag } from '../config/flags.ts';
import type { Terminal } from './terminal.ts';

export type FlagSpec = Omit<Flag, 'name'>;
export type FlagSpecs = Readonly<Record<string, FlagSpec>>;

interface FlagTypes {
  number: number;
  numbers: number[];
  text: string;
  texts: string[];
  switch: boolean;
}
type FlagValue<F extends FlagSpec> = F['kind'] extends keyof FlagTypes
  ? FlagTypes[F['kind']]
  : F extends { values: readonly (infer V)[] }
    ? V
    : string;
/** What was given on the command line, by flag. */
export type Given<Specs extends FlagSpecs> = { readonly [K in keyof Specs]?: FlagValue<Specs[K]> };

export interface FlagGroup {
  readonly title: string;
  readonly flags: FlagSpecs;
}

export interface Argument {
  readonly name: string;
  readonly brief: string;
  readonly optional?: boolean;
}

export interface Verb {
  /** What it does, in one or two sentences. */
  readonly description: string;
  readonly arguments: readonly Argument[];
  readonly groups: readonly FlagGroup[];
  /** One-letter names of flags. */
  readonly aliases?: Readonly<Record<string, string>>;
  readonly examples: readonly string[];
  /** Gives the exit code, 0 when it gives none. */
  run(
    flags: Readonly<Record<string, unknown>>,
    words: readonly string[],
    terminal: Terminal,
  ): Promise<number | undefined>;
}

/**
 * A verb whose `run` sees its flags with their types. Commands export it by name (`export default command`): TypeScript
 * leaves the endings of `import('./x.ts')` inside `export default verb(…)` as they are, and the built command breaks.
 */
export function verb<const Specs extends FlagSpecs>(
  given: Omit<Verb, 'groups' | 'run'> & {
    readonly flags: Specs;
    run(flags: Given<Specs>, words: readonly string[], terminal: Terminal): Promise<number | undefined>;
  },
): Verb {
  const { flags, run, ...rest } = given;
  return { ...rest, groups: [{ title: 'Options', flags }], run: (f, w, t) => run(f as Given<Specs>, w, t) };
}

/** Flags that every command has. */
export const commonFlags = {
  json: { kind: 'switch', brief: 'print JSON lines for programs instead of text' },
  debug: { kind: 'switch', brief: 'show where an error comes from' },
} as const satisfies FlagSpecs;

/** Flags that several commands share, written once. */
export const shared = {
  seed: { kind: 'number', brief: 'seed of everything random (default 0)' },
  threads: { kind: 'number', brief: 'processor threads' },
  overwrite: { kind: 'switch', brief: 'replace what is there' },
  given: { kind: 'texts', brief: 'values of what the model is given, as in sex=Female,age=30' },
  split: {
    kind: 'one of',
    values: ['train', 'validation', 'test', 'all'],
    brief: 'which rows, where the data is what the model was trained on',
  },
} as const satisfies FlagSpecs;
