/**
 * Names ↔ values: one entry a named choice, one table a kind of choice. Command-line flags, their help, the checks and
 * the config in model.json are all read from here; inside, there are only values and functions.
 */
import * as z from 'zod';
import { type Choice, choice, type Table } from '../choice.ts';
import { UserError } from '../errors.ts';
import {
  activationNames,
  type Chain,
  chain,
  convNetwork,
  type Ladder,
  ladder,
  mlp,
  type Network,
} from '../nn/index.ts';
import {
  adam,
  adamW,
  type Optimizer,
  warmups as ramps,
  schedules as rates,
  type Schedule,
  type Span,
  sgd,
  type Warmup,
} from '../optim/index.ts';
import {
  type Law,
  type Levels,
  likelihoods,
  type Objective,
  objectives,
  type PosteriorFamily,
  type PriorFamily,
  posteriors,
  priors,
} from '../vae/index.ts';

const widths = z.array(z.int().min(1).max(65_536)).min(1);
const activation = z.enum(activationNames).default('relu').describe('activation of hidden layers');
const norm = z.boolean().default(false).describe('normalise after every hidden layer');

const dropout = z
  .number()
  .min(0)
  .lt(1)
  .default(0)
  .describe('share of hidden activations that training leaves out, others in every step');

const BLOCKS = 'residual blocks: at each size, or of a ladder between the picture and the finest levels';

export const networks = {
  mlp: choice({
    doc: 'Dense layers; the decoder mirrors the encoder.',
    options: {
      hidden: widths.default([256, 256]).describe('widths of the hidden layers'),
      activation,
      norm,
      dropout,
    },
    build: (o): Network => mlp(o),
  }),
  conv: choice({
    doc: 'Strided convolutions, for pictures.',
    options: {
      channels: widths.default([32, 64]).describe('channels after each halving of the picture'),
      dense: z.int().min(1).max(65_536).default(256).describe('width of the dense layer at the top'),
      blocks: z.int().min(0).max(16).default(0).describe(BLOCKS),
      activation,
      norm,
      dropout,
    },
    build: ({ dense, ...o }): Network => convNetwork({ ...o, hidden: dense }),
  }),
  ladder: choice({
    doc: 'Several levels of latent variables, inferred from the top down (Sønderby et al. 2016; Child 2021).',
    options: {
      levels: z
        .array(z.int().min(0).max(64))
        .min(1)
        .max(8)
        .refine((counts) => counts.at(-1)! > 0, 'the coarsest resolution needs a level')
        .default([0, 0, 0, 3])
        .describe(
          'levels at each resolution, finest first; of rows, which have one resolution, only the sum counts',
        ),
      width: z
        .int()
        .min(1)
        .max(65_536)
        .default(64)
        .describe('channels of the state that goes from level to level'),
      blocks: z.int().min(0).max(16).default(0).describe(BLOCKS),
      activation,
      dropout,
    },
    build: ({ width, ...o }): Ladder => ladder({ ...o, channels: width }),
  }),
  chain: choice({
    doc: 'Several levels of latent variables, inferred from the bottom up, of dense layers (Burda et al. 2016).',
    options: {
      depth: z
        .int()
        .min(2)
        .max(8)
        .default(2)
        .describe('levels; each has twice as many latent dimensions as the one above it'),
      layers: z.int().min(0).max(64).default(2).describe('hidden layers between two levels'),
      activation,
      dropout,
    },
    build: (o): Chain => chain(o),
  }),
};

const fraction = z
  .number()
  .gt(0)
  .max(1)
  .optional()
  .describe('length, as a fraction of training (default 0.25)');
const steps = z.int().min(1).optional().describe('length, in steps');

function span({
  fraction: part,
  steps: count,
}: {
  fraction?: number | undefined;
  steps?: number | undefined;
}): Span {
  if (part !== undefined && count !== undefined) {
    throw new UserError(`warmup: given both a fraction (${part}) and steps (${count}); give one`);
  }
  return count === undefined ? { fraction: part ?? 0.25 } : { steps: count };
}

export const warmups = {
  none: choice({
    doc: 'The full weight of the KL from the first step.',
    options: {},
    build: (): Warmup => ramps.none,
  }),
  linear: choice({
    doc: 'Straight up to the full weight of the KL.',
    options: { fraction, steps },
    build: (o): Warmup => ramps.linear(span(o)),
  }),
  cosine: choice({
    doc: 'Up to the full weight of the KL as half a cosine, slow at both ends.',
    options: { fraction, steps },
    build: (o): Warmup => ramps.cosine(span(o)),
  }),
  cyclical: choice({
    doc: 'Up, again and again, then the full weight (Fu et al. 2019).',
    options: {
      fraction,
      steps,
      cycles: z.int().min(1).default(4).describe('how often'),
      rise: z.number().gt(0).max(1).default(0.5).describe('part of each cycle spent rising'),
    },
    build: (o): Warmup => ramps.cyclical({ over: span(o), cycles: o.cycles, rise: o.rise }),
  }),
};

const beta1 = z.number().min(0).lt(1).default(0.9).describe('decay of the mean of the gradient');
const beta2 = z.number().min(0).lt(1).default(0.999).describe('decay of the mean of its square');
const epsilon = z.number().positive().default(1e-8).describe('added to the root of the mean square');

export const optimizers = {
  adam: choice({
    doc: 'Adam (Kingma & Ba 2015).',
    options: { beta1, beta2, epsilon },
    build: (o): Optimizer => adam(o),
  }),
  adamW: choice({
    doc: 'Adam with decoupled weight decay (Loshchilov & Hutter 2019).',
    options: {
      beta1,
      beta2,
      epsilon,
      weightDecay: z.number().min(0).default(0.01).describe('decay of matrices a step, times the rate'),
    },
    build: (o): Optimizer => adamW(o),
  }),
  sgd: choice({
    doc: 'Stochastic gradient descent, with momentum if asked.',
    options: {
      momentum: z.number().min(0).lt(1).default(0).describe('part of the last update that is kept'),
      nesterov: z.boolean().default(false).describe("Nesterov's form of momentum"),
    },
    build: (o): Optimizer => sgd(o),
  }),
};

const warmup = z.int().min(0).default(0).describe('steps over which the rate climbs to its full value');
const factor = (value: number) =>
  z.number().gt(0).max(1).default(value).describe('what the rate is multiplied by');

export const schedules = {
  constant: choice({
    doc: 'The same rate throughout.',
    options: { warmup },
    build: (o): Schedule => rates.constant(o),
  }),
  cosine: choice({
    doc: 'Half a cosine down to a final rate (Loshchilov & Hutter 2017).',
    options: {
      warmup,
      final: z.number().min(0).max(1).default(0).describe('last rate, as a part of the first'),
    },
    build: (o): Schedule => rates.cosine(o),
  }),
  step: choice({
    doc: 'Multiplied by a factor after every few epochs.',
    options: {
      warmup,
      every: z.int().min(1).default(10).describe('epochs between falls'),
      factor: factor(0.5),
    },
    build: (o): Schedule => rates.step(o),
  }),
  plateau: choice({
    doc: 'Multiplied by a factor when validation has stopped improving.',
    options: {
      warmup,
      patience: z.int().min(1).default(5).describe('epochs without improvement before the rate falls'),
      factor: factor(0.5),
      minimum: z.number().min(0).max(1).default(0.01).describe('least rate, as a part of the first'),
    },
    build: (o): Schedule => rates.plateau(o),
  }),
};

export { likelihoods, objectives, posteriors, priors };

/** Every table by the name of its option. */
export const tables = {
  network: networks,
  objective: objectives,
  posterior: posteriors,
  prior: priors,
  likelihood: likelihoods,
  warmup: warmups,
  optimizer: optimizers,
  schedule: schedules,
};
export type TableName = keyof typeof tables;

/** An empty shape would be a record of `never`. */
type Output<O extends z.ZodRawShape> = keyof O extends never ? unknown : z.output<z.ZodObject<O>>;
type Input<O extends z.ZodRawShape> = keyof O extends never ? unknown : Partial<z.input<z.ZodObject<O>>>;

/** { kind: 'a', …options of a } | { kind: 'b', … } */
export type ConfigOf<T> = {
  [K in keyof T]: T[K] extends Choice<infer O, unknown> ? { kind: K } & Output<O> : never;
}[keyof T];

/** Any part of a choice; what is left out is chosen from the data. */
export type GivenOf<T> = {
  [K in keyof T]: T[K] extends Choice<infer O, unknown> ? { kind?: K } & Input<O> : never;
}[keyof T];

/** Checks a choice and fills its defaults. Unknown kinds and options are errors with their path. */
export const parseChoice = <Name extends TableName>(
  name: Name,
  given: Readonly<Record<string, unknown>>,
): ConfigOf<(typeof tables)[Name]> =>
  checkChoice(name, tables[name] as unknown as Table<unknown>, given) as ConfigOf<(typeof tables)[Name]>;

/** The same for any table; `name` is what errors call it. */
export function checkChoice(
  name: string,
  table: Table<unknown>,
  { kind, ...options }: Readonly<Record<string, unknown>>,
): { readonly kind: string } {
  const entry = typeof kind === 'string' && Object.hasOwn(table, kind) ? table[kind] : undefined;
  if (!entry)
    throw new UserError(
      `${name}: given kind ${JSON.stringify(kind)}, expected one of ${Object.keys(table).join(', ')}`,
    );
  const parsed = z.strictObject(entry.options).safeParse(options);
  if (parsed.success) return { kind: kind as string, ...parsed.data };
  throw new UserError(`${name} "${kind}": ${reasons(parsed.error, entry.options)}`);
}

function reasons(error: z.ZodError, options: z.ZodRawShape): string {
  const known = Object.keys(options).join(', ') || 'none';
  return error.issues
    .map((issue) =>
      issue.code === 'unrecognized_keys'
        ? `no option ${issue.keys.join(', ')} (it has: ${known})`
        : `${issue.path.join('.')}: ${issue.message}`,
    )
    .join('; ');
}

interface Values {
  readonly network: Network | Levels;
  readonly objective: Objective;
  readonly posterior: PosteriorFamily;
  readonly prior: PriorFamily;
  readonly likelihood: Law;
  readonly warmup: Warmup;
  readonly optimizer: Optimizer;
  readonly schedule: Schedule;
}

/** The value that a checked choice stands for. */
export function build<Name extends TableName>(
  name: Name,
  { kind, ...options }: { readonly kind: string },
): Values[Name] {
  const table = tables[name] as unknown as Table<Values[Name]>;
  return table[kind]!.build(options);
}
