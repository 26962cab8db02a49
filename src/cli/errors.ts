/** How errors are shown, and the exit codes they give. */
import * as stricli from '@stricli/core';
import { UserError } from '../errors.ts';
import { kebab } from './help.ts';

export const EXIT = { ok: 0, bug: 1, user: 2, interrupted: 130 } as const;

export const exitCodeOf = (error: unknown): number => (error instanceof UserError ? EXIT.user : EXIT.bug);

/** The message alone for what the user can mend; a stack, and a request, for what is our mistake. */
export function describeError(error: unknown, debug: boolean): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (!(error instanceof UserError))
    return `elbo: this is a mistake in Elbo, please report it with the lines below and what you typed\n${stack}`;
  return debug ? `elbo: ${error.message}\n${stack}` : `elbo: ${error.message}`;
}

/** Mistyped flags and arguments, in our words. */
export function describeArguments(error: unknown, command: string): string {
  const message = stricli.formatMessageForArgumentScannerError(error as stricli.FlagNotFoundError, {
    FlagNotFoundError: (e) =>
      `there is no option --${e.input}${didYouMean(e.corrections.map((c) => `--${kebab(c)}`))}`,
    AliasNotFoundError: (e) => `there is no option -${e.input}`,
    ArgumentParseError: (e) => `--${e.externalFlagNameOrPlaceholder}: ${(e.exception as Error).message}`,
    EnumValidationError: (e) => `--${e.externalFlagName}: "${e.input}" is not one of ${e.values.join(', ')}`,
    UnsatisfiedFlagError: (e) => `--${e.externalFlagName} needs a value`,
    UnexpectedPositionalError: (e) =>
      `"${e.input}" is one word too many: ${e.expectedCount} expected. Words with blanks need quotes`,
    UnsatisfiedPositionalError: (e) => `<${e.placeholder}> is missing`,
  });
  return `elbo: ${message}\nelbo ${command} --help lists what can be given`;
}

export const didYouMean = (corrections: readonly string[]): string =>
  corrections.length > 0 ? `, did you mean ${corrections.join(' or ').replaceAll('`', '')}?` : '';
