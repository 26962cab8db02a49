/** Tables with their gaps filled, to where the user wants them, and how sure they are. */
import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { modelFields, type Schema, takeRows } from '../data/index.ts';
import { sourceOf } from '../data/sources.ts';
import { isNpy, outputOf } from '../data/write.ts';
import { type Beside, writeFilled } from '../data/write-filled.ts';
import { UserError } from '../errors.ts';
import type { Imputed, Uncertainty } from '../tasks/impute.ts';
import { tellNotes } from './notes.ts';
import { asFile, deliver } from './output.ts';
import type { Terminal } from './terminal.ts';
import { formatNumber, plural, wrap } from './text.ts';

export interface FilledOptions {
  /** Path of the data that has the gaps. */
  readonly data: string;
  readonly schema: Schema;
  /** One for each table; none shows them. */
  readonly files: readonly string[];
  readonly overwrite: boolean | undefined;
}

/** filled.csv, or for three draws filled-1.csv, filled-2.csv, filled-3.csv. */
export function filesFor(
  out: string | undefined,
  { draws, uncertainty }: { readonly draws: number | undefined; readonly uncertainty: boolean | undefined },
): string[] {
  if (out !== undefined && uncertainty && isNpy(out))
    throw new UserError(`${out}: an array has no columns beside its own; give a table, as in filled.csv`);
  if (out === undefined && draws !== undefined && draws !== 1)
    throw new UserError('several tables are drawn: say where they go with --out, as in --out filled.csv');
  if (out === undefined) return [];
  if (draws === undefined || !(draws >= 1)) return [out];
  const [, stem = out, ending = ''] = /^(.*?[^/\\])(\.[^/\\]*)$/.exec(out) ?? [];
  return Array.from({ length: draws }, (_, i) => `${stem}-${i + 1}${ending}`);
}

/** Files, or the filled rows for a person and all rows for a program. */
export async function deliverFilled(
  imputed: Imputed,
  { data, schema, files, overwrite = false }: FilledOptions,
  terminal: Terminal,
): Promise<void> {
  const { tables, incomplete } = imputed;
  const beside = imputed.uncertainty.map((one) => columnOf(one, schema));
  const write = (t: number, path: string) =>
    writeFilled(data, { rows: tables[t]!, schema, beside }, path, { overwrite });
  if (imputed.unread.lines > 0) for (const file of files) await keepSource(file, data, imputed);
  for (const [t, file] of files.entries()) await write(t, file);
  if (files.length > 0) tell(imputed, files, terminal);
  else if (terminal.wantsJson) terminal.write(await asFile('jsonl', (path) => write(0, path)));
  else if (terminal.isLive.out && incomplete.length > 0) {
    const rows = takeRows(modelFields(schema), tables[0]!, incomplete);
    await deliver({ rows, schema, what: 'filled row' }, {}, terminal);
  } else terminal.write(await asFile('csv', (path) => write(0, path)));
  tellNotes(imputed.notes, terminal);
  if (terminal.wantsJson) return;
  for (const text of await inWords(imputed, data, files))
    for (const line of wrap(text, terminal.columns())) terminal.remark(line);
}

/** A file that has lines which were not read is not replaced by one without them. */
async function keepSource(file: string, data: string, { notes }: Imputed): Promise<void> {
  const [there, source] = await Promise.all(
    [file, data].map((path) => realpath(path).catch(() => resolve(path))),
  );
  if (there === source)
    throw new UserError(
      `${file} has lines that cannot be read, which would be lost with it: mend them, or write elsewhere with --out. ${notes[0] ?? ''}`,
    );
}

function columnOf({ field, kind, values }: Uncertainty, { fields }: Schema): Beside {
  const name = `${field} ${kind === 'deviation' ? 'sd' : 'probability'}`;
  if (fields.some((other) => other.name === name))
    throw new UserError(`the data has a column "${name}" already, which would say how sure "${field}" is`);
  return { name, values };
}

function tell(imputed: Imputed, files: readonly string[], terminal: Terminal): void {
  const { tables, cells, incomplete, samples } = imputed;
  const { count } = tables[0]!;
  if (terminal.wantsJson) {
    const told = { count, cells, incomplete: incomplete.length, samples, effective: effectiveOf(imputed) };
    terminal.json({ type: 'saved', ...told, notes: imputed.notes, paths: files });
  } else for (const file of files) terminal.print(`${plural(count, 'row')}: ${file}`);
}

/** Fewer effective samples than this, and more samples would say something else. */
const FEW = 10;

/** Of the rows that had gaps: effective samples, and how many have few. */
function effectiveOf({ effective }: Imputed) {
  const sorted = effective.slice().sort();
  if (sorted.length === 0) return undefined;
  const median = sorted[Math.floor(sorted.length / 2)]!;
  return { least: sorted[0]!, median, few: sorted.filter((v) => v < FEW).length };
}

/** Whether texts that are not understood stay as they are written: not where they go into a file with types. */
async function keepsTexts(data: string, files: readonly string[]): Promise<boolean> {
  const { table } = await sourceOf(data);
  return !(table === 'csv' || table === 'tsv') || files.every((file) => outputOf(file).format === 'csv');
}

async function inWords(imputed: Imputed, data: string, files: readonly string[]): Promise<string[]> {
  const { tables, cells, unread, incomplete, samples } = imputed;
  const kept = unread.values > 0 && (await keepsTexts(data, files)) ? unread.values : 0;
  const where = `${formatNumber(incomplete.length)} of ${plural(tables[0]!.count, 'row')}`;
  const effective = effectiveOf(imputed);
  if (!effective) return ['Nothing to fill: every value is there.'];
  const { least, median, few } = effective;
  const round = (v: number) => formatNumber(v < FEW ? Number(v.toFixed(1)) : Math.round(v));
  const [rest, them] = few === 1 ? ['rests', 'it'] : ['rest', 'them'];
  return [
    `${plural(cells - kept, 'gap')} filled${kept > 0 ? '; what is there but not understood stays as it is written' : `, in ${where}`}.`,
    `Effective samples: ${round(median)} of ${formatNumber(samples)} for the row in the middle, ${round(least)} for the least.`,
    `${plural(few, 'row')} ${rest} on fewer than ${FEW}: --samples ${10 * samples} says more of ${them}.`,
  ].slice(0, samples === 1 ? 1 : few === 0 ? 2 : 3);
}
