/** A model that training begins with (`--from`): its form and schema where nothing else is asked for, and its weights. */
import {
  type GivenChoices,
  type ParsedOptions,
  parseConfig,
  type TrainConfig,
  withChoices,
} from '../config/index.ts';
import { parseSchema, type Schema } from '../data/index.ts';
import { UserError } from '../errors.ts';
import { hashOfWeights, readModelFolder, type Tensors } from '../model/index.ts';
import type { Weights } from '../train/index.ts';
import type { Vae } from '../vae/index.ts';
import type { RunFacts } from './resume.ts';

export interface Start {
  readonly path: string;
  readonly config: TrainConfig;
  readonly schema: Schema;
  readonly tensors: Tensors;
  /** SHA-256 of its weights. */
  readonly hash: string;
}

export async function readStart(path: string): Promise<Start> {
  const { file, weights } = await readModelFolder(path);
  const [config, schema] = [parseConfig(file.config), parseSchema(file.schema)];
  return { path, config, schema, tensors: weights, hash: hashOfWeights(file) };
}

/** Refuses to go on from another model than the run began with. */
export function checkStart(start: Start | undefined, { from }: Pick<RunFacts, 'from'>): void {
  if (start && start.hash !== from)
    throw new UserError(
      `from: the run to be resumed ${from === undefined ? 'began with no model' : 'began with another model'} ` +
        `than ${start.path}; leave the option out, or train anew with --overwrite`,
    );
}

type Given = ParsedOptions & GivenChoices;

/** What was asked for, with the form of the model behind it; how it was trained is not taken over. */
export function withStart(given: Given, { config }: Start): Given {
  const { network, posterior, prior, likelihood } = config;
  const form = { network, posterior, prior, ...(likelihood && { likelihood }) };
  const groups = given.posterior?.kind === undefined ? config.modality : undefined; // they go with its posterior
  return {
    ...withChoices(given, form as GivenChoices),
    latent: given.latent ?? config.latent,
    modality: given.modality ?? (groups && [...groups]),
  };
}

/** What was asked for, with the rows held back that its model has not been trained on, where nothing else is asked for. */
export function withSplit(given: Given, { config }: Start): Given {
  const { seed, splitSeed = seed } = config;
  const share = (split: 'validation' | 'test') =>
    given[split] ?? (given[`${split}Data`] === undefined && config[split] > 0 ? config[split] : undefined);
  return {
    ...given,
    splitSeed: given.splitSeed ?? splitSeed,
    validation: share('validation'),
    test: share('test'),
  };
}

/** Rows are parted by their number among those read: another `limit` holds back some that the model was trained on. */
export function limitNotes(given: Given, { path, config: { limit } }: Start): string[] {
  const isHeld = (split: 'validation' | 'test') => given[`${split}Data`] === undefined && given[split] !== 0;
  if (given.limit === limit || !(isHeld('validation') || isHeld('test'))) return [];
  const those =
    limit === undefined ? 'all rows of its data' : `the first ${limit.toLocaleString('en')} rows of its data`;
  const remedy = limit === undefined ? 'leave out --limit' : `give --limit ${limit}`;
  return [
    `${path} was trained with ${those}: where this is the same data, it has seen some of the rows that are held back ` +
      `now, and figures of these come out too good; ${remedy} to hold back the same.`,
  ];
}

export interface StartWeights {
  readonly initial: Weights;
  /** What is taken over, in words. */
  readonly line: string;
}

/** The weights that fit: those of a parameter of the same name and shape. */
export function startWeights(vae: Vae, { path, tensors }: Start): StartWeights {
  const fitting = vae.parameters.filter(
    ({ name, shape }) => Object.hasOwn(tensors, name) && tensors[name]!.shape.join() === shape.join(),
  );
  const [taken, all] = [fitting.length, vae.parameters.length];
  if (taken === 0)
    throw new UserError(`from: no weights of ${path} have the shapes of this model; leave --from out`);
  const rest = vae.parameters.filter((p) => !fitting.includes(p)).map(({ name }) => name);
  const anew =
    rest.length === 0 ? '' : `; anew: ${rest.slice(0, 4).join(', ')}${rest.length > 4 ? ', …' : ''}`;
  return {
    initial: Object.fromEntries(fitting.map(({ name }) => [name, tensors[name]!.data])),
    line: `start: ${taken} of ${all} tensors of ${path}${anew}  (as asked)`,
  };
}
