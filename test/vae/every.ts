/** Every entry of every table as a small value, and small models made of them: what the tests of combinations are built from. */
import type { Table } from '../../src/choice.ts';
import { chain, convNetwork, ladder, mlp, type Network } from '../../src/nn/index.ts';
import { stream, variates } from '../../src/random/index.ts';
import type { Runtime, Values } from '../../src/runtime/index.ts';
import { type Minibatch, openGraph, type Weights, wanted } from '../../src/train/index.ts';
import {
  clash,
  createVae,
  decoderGraph,
  type Law,
  type Levels,
  likelihoods,
  type ModelSpec,
  make,
  type Objective,
  objectives,
  posteriors,
  priors,
  trainingGraph,
  type Vae,
  valueNames,
} from '../../src/vae/index.ts';

/** Width of what is given. */
const GIVEN = 2;
/** Laws that one model has, each of a field of its own. */
const TOGETHER = 2;
/** Features of a field. */
const SIZE = 3;
export const BATCH = 6;

/** Small values of options whose usual ones are made for real models. */
const SMALL: Readonly<Record<string, unknown>> = {
  samples: 3,
  components: 3,
  pseudoInputs: 3,
  steps: 1,
  width: 4,
  hidden: [4],
  layers: 1,
  epochs: 1,
  codes: 4,
  dim: 2,
  classes: 2,
  levels: 4,
};

type Options = Readonly<Record<string, unknown>>;

/** Those of the small values that an entry has an option for and takes. */
function smallOptions(entry: Table<unknown>[string]): Options {
  let options: Options = {};
  for (const [name, value] of Object.entries(SMALL)) {
    if (!(name in entry.options)) continue;
    const more = { ...options, [name]: value };
    try {
      make(entry, more);
      options = more;
    } catch {
      // this entry means something else by the name
    }
  }
  return options;
}

type Named<V> = readonly (readonly [string, V])[];

/** Every entry of a table as its value. */
export const values = <V>(table: object): Named<V> =>
  Object.entries(table as Table<V>).map(([name, entry]) => [name, make(entry, smallOptions(entry)) as V]);

/** The first, of which most models are made, and those for pictures by themselves; the others some at a time. */
const inGroups = (laws: Named<Law>, size: number): Named<readonly Law[]> => {
  const [first, ...rows] = laws.filter(([, { pictures }]) => !pictures);
  const alone = laws.filter(([, { pictures }]) => pictures).map((law) => [law]);
  const groups = Array.from({ length: Math.ceil(rows.length / size) }, (_, i) =>
    rows.slice(i * size, (i + 1) * size),
  );
  return [[first!], ...groups, ...alone].map((some) => [
    some.map(([name]) => name).join('+'),
    some.map(([, value]) => value),
  ]);
};

export const all = {
  laws: inGroups(values<Law>(likelihoods), TOGETHER),
  posterior: values<ModelSpec['posterior']>(posteriors),
  prior: values<ModelSpec['prior']>(priors),
  objective: values<Objective>(objectives),
  network: [
    ['plain', undefined],
    ['ladder', ladder({ levels: [1, 1], channels: 4, activation: 'silu', blocks: 0, dropout: 0.1 })],
    ['chain', chain({ depth: 2, layers: 1, activation: 'tanh', dropout: 0.1 })],
  ] as Named<Levels | undefined>,
  given: [['nothing given', false], ['given', true]] as Named<boolean>, // biome-ignore format: one line
};
export type Kind = keyof typeof all;
/** Index of the entry of each kind. */
export type Choice = Readonly<Record<Kind, number>>;

export const nameOf = (choice: Partial<Choice>, kinds = Object.keys(choice) as Kind[]): string =>
  kinds.map((kind) => all[kind][choice[kind]!]![0]).join(', ');

const isClass = ({ support }: Law): boolean => support === 'class' || support === 'order';

const plainNetwork = (isPicture: boolean): Network =>
  isPicture
    ? convNetwork({ channels: [4], hidden: 4, activation: 'relu', norm: false, blocks: 0, dropout: 0.1 })
    : mlp({ hidden: [6], activation: 'tanh', norm: false, dropout: 0.1 });

/**
 * Rows with a field for each law, or two of the only one, in two modalities where each has an encoder; or small pictures with a channel for each law,
 * but for classes, which pixels are none of.
 */
export function specOf(choice: Choice): ModelSpec {
  const isPicture =
    all.objective[choice.objective]![1].pictures === true ||
    all.laws[choice.laws]![1].some(({ pictures }) => pictures);
  const own = all.laws[choice.laws]![1].filter((law) => !(isPicture && isClass(law)));
  const laws = own.length === 1 && !isPicture ? [own[0]!, own[0]!] : own;
  const size = isPicture ? 1 : SIZE;
  const parts = laws.map((law, i) => ({ field: `x${i}`, law, start: i * size, size }));
  const fields = parts.map(({ field }) => field);
  const half = Math.ceil(fields.length / 2);
  const posterior = all.posterior[choice.posterior]![1];
  const levels = all.network[choice.network]![1];
  return {
    shape: isPicture ? [8, 8, parts.length] : [parts.length * size],
    parts,
    masked: false,
    ...(posterior.experts && {
      modalities: isPicture
        ? [{ name: 'picture', fields }]
        : [
            { name: 'a', fields: fields.slice(0, half) },
            { name: 'b', fields: fields.slice(half) },
          ],
    }),
    ...(all.given[choice.given]![1] && { condition: GIVEN }),
    latent: levels ? 2 : 6,
    network: levels ?? plainNetwork(isPicture),
    posterior,
    prior: all.prior[choice.prior]![1],
  };
}

/** Why a choice cannot be; undefined where it can. */
export function clashOf(choice: Choice): string | undefined {
  const { network, posterior, prior, shape, condition, modalities } = specOf(choice);
  return clash({
    network,
    posterior,
    prior,
    objective: all.objective[choice.objective]![1],
    shape,
    condition: condition !== undefined,
    modalities: modalities?.length ?? 1,
    warmedUp: false,
  });
}

export const isEmpty = (choice: Choice): boolean => specOf(choice).parts.length === 0;

/** Whether an objective looks at p(x|z) or x, or at nothing of them but log p(x|z). */
function looks(objective: Objective): boolean {
  const seen = new Set<string>();
  const watched = <T extends object>(of: T): T =>
    new Proxy(of, {
      get: (target, name) => {
        seen.add(String(name));
        return Reflect.get(target, name) as unknown;
      },
    });
  const first = { laws: 0, prior: 0, network: 0, given: 0, objective: indexOf(objective) };
  const goes = (posterior: number) => clashOf({ ...first, posterior }) === undefined;
  const posterior = [...all.posterior.keys()].find(goes)!;
  const losses: Objective['losses'] = (terms, context) =>
    objective.losses(watched(terms), { ...watched(context), vae: watched(context.vae) });
  trainingGraph(createVae(specOf({ ...first, posterior })), { ...objective, losses });
  return objective.corrupt !== undefined || ['decoded', 'fields', 'decode'].some((name) => seen.has(name));
}

const indexOf = (objective: Objective): number => all.objective.findIndex(([, one]) => one === objective);

/** What a likelihood can be to an objective: each that looks at it by itself, the others by whether there are several draws. */
const looking = all.objective.map(([, objective], i) =>
  looks(objective) ? i : objective.samples > 1 ? all.objective.length : all.objective.length + 1,
);

/** Every pair of the entries of a choice, each as one number. Objectives that look at no likelihood are alike to it. */
export function pairsOf(choice: Partial<Choice>): number[] {
  const entries = (Object.keys(all) as Kind[]).flatMap((kind, k) =>
    choice[kind] === undefined ? [] : [{ kind, k, entry: choice[kind] }],
  );
  return entries.flatMap((a, i) =>
    entries.slice(i + 1).map((b) => {
      const entry = a.kind === 'laws' && b.kind === 'objective' ? looking[b.entry]! : b.entry;
      return (a.k * 64 + a.entry) * 512 + b.k * 64 + entry;
    }),
  );
}

/** Choices that between them have every pair that a valid choice has, each taken because it has most that are missing. */
export function covering<C>(valid: readonly C[], pairs: (choice: C) => number[]): C[] {
  const own = valid.map(pairs);
  const missing = new Set(own.flat());
  const taken: C[] = [];
  for (let most = own[0]!.length; most > 0; most--)
    own.forEach((some, i) => {
      if (some.filter((pair) => missing.has(pair)).length < most) return;
      taken.push(valid[i]!);
      for (const pair of some) missing.delete(pair);
    });
  return taken;
}

/** A feature of each support. */
function featureOf({ support }: Law, { uniform, normal, poisson }: ReturnType<typeof variates>): number {
  const one: Record<Law['support'], () => number> = {
    binary: () => Number(uniform() < 0.5),
    unit: () => Math.round(uniform() * 253 + 1) / 255,
    real: normal,
    positive: () => Math.exp(normal()),
    count: () => Math.min(3, poisson(1)),
    class: () => 0,
    order: () => 0,
    angle: () => Math.PI * (2 * uniform() - 1),
  };
  return one[support]();
}

/** Examples of a model, each field in the set that its law is over, with what is given. */
export function examplesOf({ shape, parts, condition = 0 }: ModelSpec, seed: number): Minibatch {
  const random = variates(stream(seed, 'any to any'));
  const width = shape.at(-1)!;
  const x = new Float32Array(BATCH * shape.reduce((a, b) => a * b, 1));
  for (let at = 0; at < x.length; at += width)
    for (const { law, start, size } of parts) {
      for (let i = 0; i < size; i++) x[at + start + i] = featureOf(law, random);
      if (isClass(law)) x[at + start + Math.floor(random.uniform() * size)] = 1;
    }
  const given = Float32Array.from({ length: BATCH * condition }, random.normal);
  return {
    count: BATCH,
    fill: (into) => {
      into.x.set(x);
      into.condition.set(given);
    },
  };
}

/** p(x|z) drawn from, given z and whatever else the decoder reads: every feature of every field of the first example. */
export async function drawnFrom(
  runtime: Runtime,
  vae: Vae,
  weights: Weights,
  feeds: Values,
): Promise<Float32Array> {
  const decoder = await openGraph(runtime, decoderGraph(vae), { weights });
  const found = await decoder.run(wanted(decoder, feeds));
  await decoder.dispose();
  const names = valueNames(vae);
  const fields = vae.spec.parts.map(({ law, field, size }, i) => {
    const own = names[i]!.map((name) => {
      const { data, dims } = found[`${field}.${name}`]! as { data: Float32Array; dims: readonly number[] };
      return [name, dims[0] === BATCH ? data.subarray(0, data.length / BATCH) : data] as const;
    });
    const space = vae.spec.shape.slice(0, -1);
    const out = new Float32Array(space.reduce((a, b) => a * b, size));
    law.draw(Object.fromEntries(own), variates(stream(3, 'draw')), out, { space, channels: size });
    return [...out];
  });
  return Float32Array.from(fields.flat());
}
