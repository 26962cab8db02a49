/** Command-line flags read from the tables: one for each option, one for each kind of choice and for each of its options. */
import * as z from 'zod';
import type { Table } from '../choice.ts';
import { tables } from './choices.ts';
import { type GivenChoices, trainOptions } from './options.ts';

/** What a command-line parser needs to know of one flag. */
export interface Flag {
  /** In camel case; `--learning-rate` is learningRate. */
  readonly name: string;
  readonly kind: 'number' | 'numbers' | 'text' | 'texts' | 'switch' | 'one of';
  readonly values?: readonly string[];
  readonly brief: string;
}

/** Tables whose options are flags by their own name; the options of the others are prefixed with the table's. */
const PLAIN: ReadonlySet<string> = new Set(['network', 'objective', 'sampler']);

export const flagName = (table: string, option: string): string =>
  PLAIN.has(table) ? option : `${table}${option[0]!.toUpperCase()}${option.slice(1)}`;

/** The type under defaults and optionals. */
function inner(type: z.ZodType): z.ZodType {
  return type instanceof z.ZodDefault || type instanceof z.ZodOptional
    ? inner(type.unwrap() as z.ZodType)
    : type;
}

function flag(name: string, type: z.ZodType, brief: string): Flag {
  const core = inner(type);
  if (core instanceof z.ZodEnum) return { name, kind: 'one of', values: core.options.map(String), brief };
  if (core instanceof z.ZodBoolean) return { name, kind: 'switch', brief };
  if (core instanceof z.ZodArray)
    return { name, kind: core.element instanceof z.ZodString ? 'texts' : 'numbers', brief };
  return { name, kind: core instanceof z.ZodString ? 'text' : 'number', brief };
}

const defaultOf = (type: z.ZodType): unknown =>
  type instanceof z.ZodDefault ? type.def.defaultValue : undefined;

const described = (type: z.ZodType, others = ''): string => {
  const text = type.description ?? '';
  const value = defaultOf(type);
  return value === undefined || value === false ? text : `${text} (default ${value}${others})`;
};

export function plainFlags(options: z.ZodRawShape): Flag[] {
  return Object.entries(options).map(([name, type]) =>
    flag(name, type as z.ZodType, described(type as z.ZodType)),
  );
}

interface OptionPlace {
  readonly table: string;
  readonly option: string;
  readonly type: z.ZodType;
  readonly kinds: string[];
  /** Defaults that are not that of `type`, each with the kinds that have it. */
  readonly others: Map<unknown, string[]>;
}

type Tables = Readonly<Record<string, Table<unknown>>>;

/** Every option of every choice, once a table. */
function choiceOptions(all: Tables): OptionPlace[] {
  const places = new Map<string, OptionPlace>();
  for (const [table, entries] of Object.entries(all)) {
    for (const [kind, { options }] of Object.entries(entries)) {
      for (const [option, type] of Object.entries(options)) {
        const name = flagName(table, option);
        const own = type as z.ZodType;
        const place: OptionPlace = places.get(name) ?? {
          table,
          option,
          type: own,
          kinds: [],
          others: new Map(),
        };
        place.kinds.push(kind);
        const value = defaultOf(own);
        if (value !== undefined && String(value) !== String(defaultOf(place.type)))
          place.others.set(value, [...(place.others.get(value) ?? []), kind]);
        places.set(name, place);
      }
    }
  }
  return [...places.values()];
}

const inWords = (others: OptionPlace['others']): string =>
  [...others].map(([value, kinds]) => `; ${kinds.join(', ')} ${value}`).join('');

/** A flag for each table, then one for each option of its choices. */
export function choiceFlags(all: Tables): Flag[] {
  const kinds = Object.entries(all).map(
    ([table, entries]): Flag => ({
      name: table,
      kind: 'one of',
      values: Object.keys(entries),
      brief: `kind of ${table}`,
    }),
  );
  const options = choiceOptions(all).map(({ table, option, type, kinds: of, others }) =>
    flag(flagName(table, option), type, `${of.join(', ')}: ${described(type, inWords(others))}`),
  );
  return [...kinds, ...options];
}

const trainTables = tables as unknown as Tables;

/** All flags of `train`, in the order in which help shows them. */
export const trainFlags = (): Flag[] => [...plainFlags(trainOptions), ...choiceFlags(trainTables)];

/** Flags, by name, as the options of `train`. */
export const toTrainOptions = (
  flags: Readonly<Record<string, unknown>>,
): Record<string, unknown> & GivenChoices => toOptions(flags, trainTables);

/** Flags, by name, as options: those about a choice in an object for its table, the others as they are. */
export function toOptions(flags: Readonly<Record<string, unknown>>, all: Tables): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  const choices: Record<string, Record<string, unknown>> = {};
  const places = new Map(choiceOptions(all).map((place) => [flagName(place.table, place.option), place]));
  for (const [name, value] of Object.entries(flags)) {
    if (value === undefined) continue;
    const place = places.get(name);
    if (Object.hasOwn(all, name)) choices[name] = { ...choices[name], kind: value };
    else if (place) choices[place.table] = { ...choices[place.table], [place.option]: value };
    else options[name] = value;
  }
  return { ...options, ...choices };
}
