/** From a command line to an exit code: finds the command, loads only that one, parses its flags, runs it. */
import * as stricli from '@stricli/core';
import { packageVersion } from '../model/version.ts';
import { describeArguments, describeError, didYouMean, EXIT, exitCodeOf } from './errors.ts';
import { overview, type VerbEntry, verbHelp } from './help.ts';
import { createTerminal, type Streams, type Terminal } from './terminal.ts';
import { wrap } from './text.ts';
import { commonFlags, type FlagSpec, type Verb } from './verb.ts';

const verbs: Readonly<Record<string, VerbEntry>> = {
  models: { brief: 'list the known models', load: () => import('./commands/models.ts') },
  train: { brief: 'train a model on a table or on pictures', load: () => import('./commands/train.ts') },
  sample: { brief: 'make new rows or pictures', load: () => import('./commands/sample.ts') },
  reconstruct: {
    brief: 'encode rows and decode them again',
    load: () => import('./commands/reconstruct.ts'),
  },
  encode: { brief: 'write the latent codes of rows', load: () => import('./commands/encode.ts') },
  decode: { brief: 'make rows or pictures from latent codes', load: () => import('./commands/decode.ts') },
  refit: {
    brief: 'fit a better distribution of z to a trained model, to sample from',
    load: () => import('./commands/refit.ts'),
  },
  evaluate: {
    brief: 'measure a model on data it was not trained on',
    load: () => import('./commands/evaluate.ts'),
  },
  explain: {
    brief: 'say what the latent dimensions do, and why a row is as likely as it is',
    load: () => import('./commands/explain.ts'),
  },
  impute: { brief: 'fill the gaps of a table', load: () => import('./commands/impute.ts') },
  info: { brief: 'say what a model is', load: () => import('./commands/info.ts') },
  schema: { brief: 'say what is in data, before training', load: () => import('./commands/schema.ts') },
};

/** Runs one command line; never throws. */
export async function runCommandLine(argv: readonly string[], streams: Streams): Promise<number> {
  const before = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  const asks = (...names: string[]) => before.some((word) => names.includes(word));
  const terminal = createTerminal(streams, asks('--json'));
  const debug = asks('--debug');
  try {
    const [name] = argv;
    if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
      terminal.print(overview(verbs, packageVersion()));
      return EXIT.ok;
    }
    if (asks('--version') || name === '-v') {
      terminal.print(packageVersion());
      return EXIT.ok;
    }
    const verb = Object.hasOwn(verbs, name) ? (await verbs[name]!.load()).default : undefined;
    if (verb && asks('--help', '-h')) {
      terminal.print(verbHelp(name, verb, terminal.columns()));
      return EXIT.ok;
    }
    return await parseAndRun(argv, verb, terminal, debug);
  } catch (error) {
    return report(error, describeError(error, debug), terminal);
  }
}

function report(error: unknown, text: string, terminal: Terminal): number {
  if (terminal.wantsJson)
    terminal.json({ type: 'error', message: error instanceof Error ? error.message : text });
  complain(text, terminal);
  return exitCodeOf(error);
}

async function parseAndRun(
  argv: readonly string[],
  verb: Verb | undefined,
  terminal: Terminal,
  debug: boolean,
): Promise<number> {
  let code: number = EXIT.ok;
  let complaint = '';
  const context = {
    process: {
      stdout: { write: (text: string) => terminal.write(text) },
      stderr: {
        write: (text: string) => {
          complaint += text;
        },
      },
      env: { STRICLI_SKIP_VERSION_CHECK: '1' },
    },
  };
  const run = async (flags: Readonly<Record<string, unknown>>, words: readonly string[]) => {
    try {
      code = (await verb!.run(flags, words, terminal)) ?? EXIT.ok;
    } catch (error) {
      code = report(error, describeError(error, debug), terminal);
    }
  };
  await stricli.run(application(argv[0]!, verb, run), argv, context);
  if (complaint === '') return code;
  if (terminal.wantsJson) terminal.json({ type: 'error', message: complaint.trim() });
  complain(complaint.trimEnd(), terminal);
  return EXIT.user;
}

/** Broken between words where a person reads it, whole for a log. */
function complain(text: string, terminal: Terminal): void {
  const width = terminal.isLive.err ? terminal.columns() : Number.POSITIVE_INFINITY;
  for (const line of text.split('\n')) for (const part of wrap(line, width)) terminal.remark(part);
}

type Run = (flags: Readonly<Record<string, unknown>>, words: readonly string[]) => Promise<void>;

/** All commands by name, so that a mistyped one finds its neighbours; only the one that is run has its flags. */
function application(name: string, verb: Verb | undefined, run: Run) {
  const routes = Object.fromEntries(
    Object.entries(verbs).map(([key, { brief }]) => [
      key,
      command(brief, key === name ? verb : undefined, run),
    ]),
  );
  return stricli.buildApplication(stricli.buildRouteMap({ routes, docs: { brief: 'elbo' } }), {
    name: 'elbo',
    scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
    documentation: { caseStyle: 'convert-camel-to-kebab' },
    localization: {
      text: {
        ...stricli.text_en,
        exceptionWhileParsingArguments: (error) => describeArguments(error, name),
        noCommandRegisteredForInput: ({ input, corrections }) =>
          `elbo: there is no command "${input}"${didYouMean(corrections)}\nelbo --help lists the commands`,
      },
    },
  });
}

function command(brief: string, verb: Verb | undefined, run: Run): stricli.Command<stricli.CommandContext> {
  const flags = Object.assign({}, ...(verb?.groups ?? []).map((group) => group.flags), commonFlags);
  const parameters = {
    flags: Object.fromEntries(Object.entries(flags).map(([key, spec]) => [key, parameter(spec as FlagSpec)])),
    aliases: verb?.aliases ?? {},
    positional: {
      kind: 'tuple',
      parameters: (verb?.arguments ?? []).map((argument) => ({
        brief: argument.brief,
        placeholder: argument.name,
        parse: String,
        ...(argument.optional && { optional: true }),
      })),
    },
  };
  return stricli.buildCommand({
    func: (given: Readonly<Record<string, unknown>>, ...words: readonly string[]) => run(given, words),
    parameters: parameters as never,
    docs: { brief },
  });
}

function parameter({ kind, values, brief }: FlagSpec): object {
  const common = { brief, optional: true };
  if (kind === 'switch') return { ...common, kind: 'boolean', withNegated: false };
  if (kind === 'one of') return { ...common, kind: 'enum', values };
  if (kind === 'number') return { ...common, kind: 'parsed', parse: parseNumber };
  if (kind === 'numbers') return { ...common, kind: 'parsed', parse: parseNumber, variadic: ',' };
  return { ...common, kind: 'parsed', parse: String, ...(kind === 'texts' && { variadic: ',' }) };
}

function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) throw new Error(`"${text}" is not a number`);
  return value;
}
