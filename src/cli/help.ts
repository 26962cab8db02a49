/** The help pages. */
import { textPairs, wrap } from './text.ts';
import { commonFlags, type FlagSpec, type Verb } from './verb.ts';

export interface VerbEntry {
  readonly brief: string;
  readonly load: () => Promise<{ readonly default: Verb }>;
}

export function overview(verbs: Readonly<Record<string, VerbEntry>>, version: string): string {
  return [
    `elbo ${version}: variational autoencoders from the command line`,
    '',
    'Usage: elbo <command> [options]',
    '',
    'Commands',
    ...textPairs(Object.entries(verbs).map(([name, { brief }]) => [name, brief])),
    '',
    'Examples',
    '  elbo train sales.csv                         train on a table: writes sales.model',
    '  elbo train photos/ --size 64 --epochs 30     train on a folder of pictures',
    '  elbo sample sales.model -n 1000 --out new.csv',
    '  elbo evaluate sales.model sales.csv',
    '',
    'elbo <command> --help says more about a command, elbo --version prints the version.',
  ].join('\n');
}

export const kebab = (name: string): string => name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);

export function verbHelp(name: string, verb: Verb, columns: number): string {
  const words = verb.arguments.map(({ name, optional }) => (optional ? ` [${name}]` : ` <${name}>`)).join('');
  return [
    ...wrap(verb.description, Math.min(columns, 100)),
    '',
    `Usage: elbo ${name}${words} [options]`,
    '',
    ...textPairs(verb.arguments.map((argument) => [`<${argument.name}>`, argument.brief])),
    ...verb.groups.flatMap(({ title, flags }) => ['', title, ...flagLines(flags, verb, columns)]),
    '',
    'Always',
    ...flagLines({ ...commonFlags, help: { kind: 'switch', brief: 'this page' } }, verb, columns),
    '',
    'Examples',
    ...verb.examples.map((example) => `  ${example}`),
  ].join('\n');
}

const NAME_WIDTH = 30;

function flagLines(flags: Readonly<Record<string, FlagSpec>>, verb: Verb, columns: number): string[] {
  return Object.entries(flags).flatMap(([name, spec]) => {
    const alias = Object.entries(verb.aliases ?? {}).find(([, target]) => target === name)?.[0];
    const start = `  ${alias ? `-${alias}, ` : ''}--${kebab(name)}${placeholder(spec)}`;
    const [first = '', ...rest] = wrap(spec.brief, Math.max(30, Math.min(columns, 110) - NAME_WIDTH - 2));
    const more = rest.map((line) => ' '.repeat(NAME_WIDTH + 2) + line);
    if (start.length <= NAME_WIDTH) return [`${start.padEnd(NAME_WIDTH)}  ${first}`, ...more];
    return [start, ' '.repeat(NAME_WIDTH + 2) + first, ...more];
  });
}

function placeholder({ kind, values = [] }: FlagSpec): string {
  if (kind === 'one of') return ` ${values.join('|')}`;
  return { number: ' <n>', numbers: ' <n,n,…>', text: ' <text>', texts: ' <text,…>', switch: '' }[kind];
}
