/** Everything that `train` can be told, with its defaults and help, in one table. */
import * as z from 'zod';
import { UserError } from '../errors.ts';
import {
  build,
  type ConfigOf,
  type GivenOf,
  type likelihoods,
  type networks,
  type objectives,
  type optimizers,
  parseChoice,
  type posteriors,
  type priors,
  type schedules,
  type warmups,
} from './choices.ts';
import { presetNames } from './presets.ts';

const seed = z.int().min(0).max(Number.MAX_SAFE_INTEGER).optional();
const share = z.number().min(0).lt(1);
export const MOST_THREADS = 256;

/** Options about the data. */
export const dataOptions = {
  schema: z.string().optional().describe('JSON file with the schema, or with edits to the inferred one'),
  ignore: z.array(z.string()).optional().describe('columns to leave out'),
  condition: z
    .array(z.string())
    .min(1)
    .optional()
    .describe('columns that are given and not modelled; of pictures and arrays also "label"'),
  predict: z
    .string()
    .optional()
    .describe(
      'column of classes that is known in some rows and inferred in the others; of pictures and arrays also "label"',
    ),
  validation: share.optional().describe('share of the rows held back to watch training (default 0.1)'),
  test: share.optional().describe('share of the rows held back for evaluate (default 0.1)'),
  validationData: z.string().optional().describe('file whose rows are the validation rows'),
  testData: z.string().optional().describe('file whose rows are the test rows'),
  splitSeed: seed.describe(
    'seed of which rows are held back (default: --seed; with --from that of its model, with its shares)',
  ),
  missing: z
    .array(z.string())
    .optional()
    .describe('texts that mean "no value" (default: empty, ?, NA, N/A, null, NaN)'),
  label: z.string().optional().describe('column, or "folder", by which plots are coloured'),
  limit: z.int().min(1).optional().describe('use only the first rows'),
  size: z
    .array(z.int().min(4).max(1024))
    .min(1)
    .max(2)
    .optional()
    .describe('pictures: side, or height,width'),
  color: z.enum(['gray', 'rgb', 'rgba']).optional().describe('pictures: colour type (default: their own)'),
  binarize: z
    .enum(['dynamic', 'static', 'none'])
    .optional()
    .describe('pictures: whether pixels are drawn as 0 or 1'),
  memory: z
    .int()
    .min(1)
    .optional()
    .describe('MiB of data held in memory; larger data is streamed (default 512)'),
};

/** Options about the model and its training, apart from the choices in `tables`. */
export const trainingOptions = {
  latent: z.int().min(1).max(65_536).optional().describe('latent dimensions'),
  epochs: z.int().min(1).max(1_000_000).optional().describe('passes over the training rows'),
  batchSize: z.int().min(1).max(1_000_000).optional().describe('examples in a step'),
  learningRate: z.number().positive().max(100).optional().describe('base learning rate (default 0.001)'),
  clip: z.number().positive().optional().describe('largest norm of the gradient'),
  skip: z.number().positive().optional().describe('norm of the gradient above which a step is left out'),
  ema: z
    .number()
    .gt(0)
    .lt(1)
    .optional()
    .describe('decay of a running average of the weights, which is then used'),
  modality: z
    .array(z.string())
    .min(1)
    .optional()
    .describe(
      'groups of columns, as in left=a,b,right=c: each has an encoder, any may be missing (see --posterior poe, moe, mopoe)',
    ),
  predictWeight: z
    .number()
    .min(0)
    .optional()
    .describe(
      'w: telling known labels of --predict rightly weighs w times rows over rows with a label (default 0.1)',
    ),
  patience: z.int().min(1).optional().describe('epochs without improvement before training ends'),
  seed: seed.describe('seed of everything random (default 0)'),
};

/** Options about this run, which leave no trace in the model. */
export const runOptions = {
  out: z.string().optional().describe('folder of the model (default: <data>.model)'),
  resume: z.boolean().default(false).describe('go on where an earlier run stopped'),
  overwrite: z.boolean().default(false).describe('replace the model that is there'),
  threads: z.int().min(1).max(MOST_THREADS).optional().describe('processor threads'),
  checkpointSeconds: z.number().positive().default(20).describe('seconds between checkpoints'),
  profile: z
    .string()
    .optional()
    .describe('measure where the time of a step goes; prefix of the trace to write (200 steps are enough)'),
};

const splitOptions = {
  validation: dataOptions.validation,
  test: dataOptions.test,
  splitSeed: dataOptions.splitSeed,
  limit: dataOptions.limit,
  label: dataOptions.label,
};

/** What other options win over: a name for a set of choices, of which what it stands for is saved, and a model. */
export const startOptions = {
  preset: z
    .enum(presetNames)
    .optional()
    .describe('a known model (elbo models lists them); other options win over it'),
  from: z
    .string()
    .optional()
    .describe('model folder to begin with: its form, its schema, its split and its weights, trained further'),
};

export const trainOptions = { ...dataOptions, ...startOptions, ...trainingOptions, ...runOptions };

/** The choices of `tables`; in each, what is left out is chosen from the data. */
export interface GivenChoices {
  readonly network?: GivenOf<typeof networks>;
  readonly objective?: GivenOf<typeof objectives>;
  readonly posterior?: GivenOf<typeof posteriors>;
  readonly prior?: GivenOf<typeof priors>;
  /** Of pixels or of numbers; without it, what the data ask for. */
  readonly likelihood?: GivenOf<typeof likelihoods>;
  readonly warmup?: GivenOf<typeof warmups>;
  readonly optimizer?: GivenOf<typeof optimizers>;
  readonly schedule?: GivenOf<typeof schedules>;
}

export type GivenOptions = z.input<z.ZodObject<typeof trainOptions>>;
export type ParsedOptions = z.output<z.ZodObject<typeof trainOptions>>;

/** Checks what was given; an unknown option is an error. */
export function parseOptions<Shape extends z.ZodRawShape>(
  shape: Shape,
  given: object,
): z.output<z.ZodObject<Shape>> {
  const parsed = z.strictObject(shape).safeParse(given);
  if (parsed.success) return parsed.data as z.output<z.ZodObject<Shape>>;
  throw new UserError(parsed.error.issues.map((issue) => describeIssue(issue, given)).join('\n'));
}

function describeIssue(issue: z.core.$ZodIssue, given: object): string {
  if (issue.code === 'unrecognized_keys') return `no option is called ${issue.keys.join(', ')}`;
  const value = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)?.[key], given);
  return `option ${issue.path.join('.')}: given ${JSON.stringify(value)}. ${issue.message}`;
}

/** What a model was trained with, whole: saved in model.json. */
export interface TrainConfig {
  readonly network: ConfigOf<typeof networks>;
  readonly latent: number;
  readonly objective: ConfigOf<typeof objectives>;
  readonly posterior: ConfigOf<typeof posteriors>;
  readonly prior: ConfigOf<typeof priors>;
  readonly warmup: ConfigOf<typeof warmups>;
  readonly optimizer: ConfigOf<typeof optimizers>;
  readonly schedule: ConfigOf<typeof schedules>;
  readonly likelihood?: ConfigOf<typeof likelihoods> | undefined;
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly clip?: number | undefined;
  readonly skip?: number | undefined;
  /** Groups of fields, each as name=field,field; those that none names are one more. */
  readonly modality?: readonly string[] | undefined;
  /** Where a label is predicted. */
  readonly predictWeight?: number | undefined;
  readonly ema?: number | undefined;
  readonly patience?: number | undefined;
  readonly seed: number;
  /** Of the split of the rows, where it is not `seed`. */
  readonly splitSeed?: number | undefined;
  /** Shares of the rows, and how many of the first were used: with that seed they give the same split again. */
  readonly validation: number;
  readonly test: number;
  readonly limit?: number | undefined;
  /** By what plots are coloured. */
  readonly label?: string | undefined;
}

/** A config out of a file, checked. Files of older versions lack what could not be chosen then. */
export function parseConfig(json: unknown): TrainConfig {
  const { network, objective, posterior, prior, likelihood, warmup, optimizer, schedule, ...others } =
    record(json);
  const { latent, epochs, batchSize, ...rest } = others;
  const numbers = { latent, epochs, batchSize };
  for (const [name, value] of Object.entries(numbers)) {
    if (typeof value !== 'number')
      throw new UserError(`config: ${name} is ${JSON.stringify(value)}, expected a number`);
  }
  const aim = parseChoice('objective', record(objective));
  const law = typeof likelihood === 'string' ? { kind: likelihood } : likelihood;
  return {
    ...parseOptions({ ...trainingOptions, ...splitOptions }, { ...numbers, ...rest }),
    network: parseChoice('network', record(network)),
    objective: aim,
    posterior: parseChoice('posterior', record(posterior ?? usualPosterior(aim))),
    prior: parseChoice('prior', record(prior ?? { kind: 'normal' })),
    ...(law !== undefined && { likelihood: parseChoice('likelihood', record(law)) }),
    warmup: parseChoice('warmup', record(warmup)),
    optimizer: parseChoice('optimizer', record(optimizer)),
    schedule: parseChoice('schedule', record(schedule)),
  } as TrainConfig;
}

/** As the 0.1 in α = 0.1·N of Kingma et al. 2014, section 4; N over the number of labels is ours. */
export const USUAL_PREDICT_WEIGHT = 0.1;

/** What z is inferred as where nothing was said. */
export const usualPosterior = (objective: { readonly kind: string }): { kind: string } => ({
  kind: build('objective', objective).point ? 'point' : 'gaussian',
});

function record(json: unknown): Record<string, unknown> {
  if (typeof json === 'object' && json !== null && !Array.isArray(json))
    return json as Record<string, unknown>;
  throw new UserError(`config: expected an object, given ${JSON.stringify(json)}`);
}
