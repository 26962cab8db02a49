/** What a checkpoint keeps of a run, and what must be the same for the run to go on. */
import {
  dataOptions,
  type ParsedOptions,
  parseConfig,
  parseOptions,
  type TrainConfig,
} from '../config/index.ts';
import { type Codec, type Counts, type Dataset, parseSchema, type Schema } from '../data/index.ts';
import { UserError } from '../errors.ts';
import { parseRunFile, readSafetensors, sha256, type Workspace, writeSafetensors } from '../model/index.ts';
import type { Checkpoint, FitOptions } from '../train/index.ts';
import { splitOf } from './open.ts';

/** Options that say how data is read: they are in no config, but a resumed run needs the same. */
const READING = [
  'validationData',
  'testData',
  'schema',
  'ignore',
  'condition',
  'predict',
  'missing',
  'size',
  'color',
  'binarize',
  'memory',
] as const;
type ReadingOptions = Pick<ParsedOptions, (typeof READING)[number]>;

/** By what data is known again. */
export interface Identity {
  readonly rows: Counts;
  /** SHA-256 of the first training rows as the model sees them. */
  readonly start: string;
  readonly options: ReadingOptions;
}

/** What a run was started with. */
export interface RunFacts {
  readonly config: TrainConfig;
  readonly schema: Schema;
  readonly identity: Identity;
  /** SHA-256 of the weights that it began with, where they were another model's. */
  readonly from?: string;
}

export interface SavedRun extends RunFacts {
  readonly checkpoint: Checkpoint;
  /** How long it was trained, over all its sessions. */
  readonly seconds: number;
}

export async function readRun(workspace: Workspace): Promise<SavedRun | undefined> {
  const found = await workspace.readCheckpoint();
  if (!found) return undefined;
  const { tensors, metadata } = readSafetensors(found.bytes, found.path);
  const { config, schema, identity, from, progress } = parseRunFile(metadata['run'], found.path);
  return {
    ...within(found.path, () => {
      parseOptions(dataOptions, identity.options);
      return { config: parseConfig(config), schema: parseSchema(schema), identity };
    }),
    ...(from !== undefined && { from }),
    checkpoint: {
      progress,
      tensors: Object.fromEntries(Object.entries(tensors).map(([name, { data }]) => [name, data])),
    },
    seconds: Number(metadata['seconds']) || 0, // checkpoints of older versions do not say
  };
}

/** What is wrong with a part is said of the file that has it. */
function within<T>(path: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof UserError ? new UserError(`${path}: ${error.message}`) : error;
  }
}

/**
 * Checkpoints as one safetensors file: tensors, and what else the rest of the run depends on as its metadata `run`. The `seconds`
 * are beside it: all that differs between a run and the same one interrupted.
 */
export function keep(workspace: Workspace, facts: RunFacts, seconds: () => number): Pick<FitOptions, 'save'> {
  return {
    save: async ({ progress, tensors }) => {
      const run = JSON.stringify({ ...facts, progress });
      const flat = Object.entries(tensors).map(([name, values]) => [
        name,
        { shape: [values.length], data: values },
      ]);
      const metadata = { run, step: String(progress.step), seconds: seconds().toFixed(3) };
      await workspace.saveCheckpoint(writeSafetensors(Object.fromEntries(flat), metadata));
    },
  };
}

/** The options to open data with: those of the saved run where there is one. */
export const optionsFor = (options: ParsedOptions, saved: SavedRun | undefined): ParsedOptions =>
  saved ? { ...options, ...saved.identity.options, ...splitOf(saved.config) } : options;

const FIRST = 256; // rows

export async function identify(
  data: Dataset,
  codec: Codec,
  given: ParsedOptions,
  saved: SavedRun | undefined,
): Promise<Identity> {
  const options = { ...saved?.identity.options, ...present(given) } as ReadingOptions;
  return { rows: data.counts, start: await startOf(data, codec), options };
}

const present = (given: ParsedOptions): Partial<ReadingOptions> =>
  Object.fromEntries(READING.filter((name) => given[name] !== undefined).map((name) => [name, given[name]]));

/** SHA-256 of the first training rows as the model sees them. */
export async function startOf(data: Dataset, codec: Codec): Promise<string> {
  for await (const batch of data.batches({ split: 'train', batchSize: FIRST })) {
    const size = codec.shape.reduce((a, b) => a * b, 1);
    const rows = batch.index.length;
    const all = new Float32Array(rows * (size + codec.conditionSize));
    const [x, condition] = [all.subarray(0, rows * size), all.subarray(rows * size)];
    codec.encode(batch, condition.length > 0 ? { x, condition } : { x });
    return sha256(new Uint8Array(all.buffer));
  }
  return '';
}

/** Refuses to go on with other data, or with data read in another way. */
export function checkSame(name: string, now: Identity, before: Identity): void {
  for (const option of READING) {
    if (same(now.options[option], before.options[option])) continue;
    throw new UserError(
      `${option}: given ${JSON.stringify(now.options[option])}, but the run to be resumed ` +
        `${before.options[option] === undefined ? 'was started without it' : `has ${JSON.stringify(before.options[option])}`}; ` +
        'leave the option out, or train anew with --overwrite',
    );
  }
  const again = 'resume with the same data and options, or train anew with --overwrite';
  if (!same(now.rows, before.rows))
    throw new UserError(
      `${name} has ${show(now.rows)}, but the run to be resumed had ${show(before.rows)}: ${again}`,
    );
  if (now.start !== before.start)
    throw new UserError(`${name} has other values than the run to be resumed had: ${again}`);
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const show = (counts: Counts): string =>
  `${Object.entries(counts)
    .map(([split, n]) => `${n} ${split}`)
    .join(', ')} rows`;
