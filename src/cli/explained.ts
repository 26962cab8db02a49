/** What `explain` found, for people. */
import { modelFields } from '../data/index.ts';
import { isoDate, rowTexts } from '../data/texts.ts';
import type { Dimension } from '../tasks/explain/dimensions.ts';
import type { Effect } from '../tasks/explain/effects.ts';
import type { RowExplanation, Term } from '../tasks/explain/rows.ts';
import type { Explanation } from '../tasks/explain.ts';
import type { Model } from '../tasks/model.ts';
import type { Terminal } from './terminal.ts';
import { cut, formatFixed, plural, type TableColumn, textTable, wrap } from './text.ts';

const DIMENSIONS = 12; // shown
const EFFECTS = 3; // of each dimension
const FIELDS = 40;
const TERMS = 5; // of the KL

export function printExplanation(
  model: Model,
  found: Explanation,
  paths: readonly string[],
  terminal: Terminal,
): void {
  const say = (text: string, indent = '  ') => {
    for (const line of wrap(`${indent}${text}`, terminal.columns(), indent)) terminal.print(line);
  };
  printDimensions(model, found, say, terminal);
  for (const row of found.explained) printRow(model, row, say, terminal);
  if (found.protocols.rows) say(`Terms are ${found.protocols.rows}.`);
  if (found.protocols.nearest) say(`Nearest rows are ${found.protocols.nearest}.`);
  if (found.absent.nearest && !found.absent.nearest.startsWith('--')) say(found.absent.nearest);
  printPaths(model, found, paths, say, terminal);
}

function printPaths(
  model: Model,
  { protocols, explained }: Explanation,
  paths: readonly string[],
  say: Say,
  terminal: Terminal,
): void {
  if (paths.length === 0) return;
  if (explained.length > 0) terminal.print();
  for (const path of paths) terminal.print(`Written  ${path}`);
  if (protocols.traversal) say(`Traversals are ${protocols.traversal}.`);
  if (!isPicture(model)) return;
  if (protocols.traversal)
    say(
      'On their sheet a line is a dimension, its number in front; the picture at its end is where it acts: the slope of each pixel, all lines on one scale.',
    );
  if (explained.length > 0)
    say('On the sheet of a row are the row, its reconstruction, and its nearest training rows.');
}

type Say = (text: string, indent?: string) => void;

function printDimensions(model: Model, found: Explanation, say: Say, terminal: Terminal): void {
  const { dimensions, absent, protocols, span } = found;
  if (absent.dimensions) {
    if (!absent.dimensions.startsWith('--')) say(`Dimensions: ${absent.dimensions}`, '');
    return;
  }
  const shown = dimensions
    .filter(({ effects, isActive }) => effects && isActive !== false)
    .slice(0, DIMENSIONS);
  terminal.print('Latent dimensions, those that say most first');
  const { columns, rows } = isPicture(model) ? pictureLines(shown, span) : fieldLines(model, shown, span);
  printTable(columns, rows, terminal);
  const further = dimensions.filter((d) => d.isActive !== false && !shown.includes(d));
  const howTo = further.every(({ effects }) => effects)
    ? '--json has all'
    : `--dimensions ${dimensions.length} --json has all`;
  if (further.length > 0) say(`and ${further.length} more: ${names(further)}; ${howTo}`);
  const idle = dimensions.filter(({ isActive }) => isActive === false);
  if (idle.length > 0) say(`not active (KL of 0.01 nats or less): ${names(idle)}`);
  say(protocols.dimensions!);
  terminal.print();
}

const names = (dimensions: readonly Dimension[]): string =>
  cut(dimensions.map(({ name }) => name).join(', '), 200);

const nats = (value: number | undefined): string => (value === undefined ? '' : formatFixed(value));

function pictureLines(dimensions: readonly Dimension[], span: number) {
  return {
    columns: [
      { name: 'z' },
      { name: 'KL', numeric: true },
      { name: 'σ', numeric: true },
      { name: `change of a pixel, −${span}σ to ${span}σ`, numeric: true },
      { name: 'slope', numeric: true },
    ],
    rows: dimensions.map(({ name, kl, deviation, effects }) => [
      name,
      nats(kl),
      formatFixed(deviation),
      `${formatFixed(effects![0]!.change, 1)} / 255`,
      formatFixed(effects![0]!.sensitivity, 1),
    ]),
  };
}

function fieldLines({ schema }: Model, dimensions: readonly Dimension[], span: number) {
  const units = new Map(
    modelFields(schema).map((field) => [field.name, field.type === 'date' ? field.unit : undefined]),
  );
  return {
    columns: [
      { name: 'z' },
      { name: 'KL', numeric: true },
      { name: 'field' },
      { name: 'of' },
      { name: `at −${span}σ`, numeric: true },
      { name: `at ${span}σ`, numeric: true },
      { name: 'slope', numeric: true },
    ],
    rows: dimensions.flatMap(({ name, kl, effects }) =>
      effects!
        .slice(0, EFFECTS)
        .map((effect, i) => [
          i === 0 ? name : '',
          i === 0 ? nats(kl) : '',
          effect.field,
          ...effectCells(effect, units.get(effect.field)),
        ]),
    ),
  };
}

/** What of the field, its value at both ends, and its slope. */
function effectCells(
  { low, high, sensitivity, words, unit }: Effect,
  date: 'day' | 'second' | undefined,
): string[] {
  const [word] = words ?? [];
  if (word) return [word.word, percent(word.low), percent(word.high), percent(word.sensitivity)];
  const value = (v: number) => (date ? isoDate(v, date) : short(v));
  return ['mean', value(low!), value(high!), `${short(sensitivity)}${unit && ` ${unit}`}`];
}

const percent = (share: number): string => {
  const value = 100 * share;
  if (value > 0 && value < 0.05) return 'under 0.1 %';
  if (value < 100 && value >= 99.95) return 'over 99.9 %';
  return `${(value > 0 && value < 9.95) || (value < 100 && value >= 99.5) ? value.toFixed(1) : Math.round(value)} %`;
};

/** Three digits, or as many as there are before the point. */
function short(value: number): string {
  const rounded = Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(3));
  return rounded.toLocaleString('en', { maximumFractionDigits: 10 }).replace('-', '−');
}

function printRow(model: Model, found: RowExplanation, say: Say, terminal: Terminal): void {
  const { row, split, label, elbo, fields, kl } = found;
  const logPx = fields.reduce((sum, { value }) => sum + value, 0);
  const who = [split, ...(label === undefined ? [] : [`label ${label}`])].join(', ');
  const bound = kl.length > 0 ? 'ELBO' : 'log p(x|z)';
  say(
    `Row ${row} (${who}): ${bound} ${nats(elbo.value)} nats, higher than that of ${percent(elbo.rank)} of rows (mean ${nats(elbo.mean)})`,
    '',
  );
  if (kl.length > 0) terminal.print(`  log p(x|z) ${nats(logPx)}, KL ${nats(logPx - elbo.value)}`);
  terminal.print();
  if (!isPicture(model)) printFields(model, found, terminal);
  printKl(kl, terminal);
  printNearest(model, found, terminal);
}

const isPicture = ({ schema }: Model): boolean => modelFields(schema)[0]!.type === 'image';

/** What a term is beside: its mean over other rows, and how many of them it is above. */
const BESIDE = [
  { name: 'mean', numeric: true },
  { name: 'rank', numeric: true },
];
const beside = ({ mean, rank }: Term): string[] => [nats(mean), percent(rank)];

function printFields({ schema }: Model, found: RowExplanation, terminal: Terminal): void {
  const all = modelFields(schema);
  const [values] = rowTexts(found.original, schema);
  const [again] = rowTexts(found.reconstruction, schema);
  const place = (name: string) => all.findIndex((field) => field.name === name);
  const rows = [
    ...found.fields
      .slice(0, FIELDS)
      .map((term) => [
        term.field,
        values![place(term.field)]!,
        again![place(term.field)]!,
        nats(term.value),
        ...beside(term),
      ]),
    ...found.missing.map((name) => [name, '', again![place(name)]!, 'missing', '', '']),
    ...all.flatMap(({ name, role }, j) =>
      role === 'model' ? [] : [[name, values![j]!, '', 'given', '', '']],
    ),
  ];
  const columns = [
    { name: 'field' },
    { name: 'value' },
    { name: 'reconstruction' },
    { name: 'log p(x|z)', numeric: true },
    ...BESIDE,
  ];
  printTable(columns, rows, terminal);
  if (found.fields.length > FIELDS)
    terminal.print(`  and ${plural(found.fields.length - FIELDS, 'more field')}: --json has all`);
  terminal.print();
}

function printKl(terms: RowExplanation['kl'], terminal: Terminal): void {
  if (terms.length === 0) return;
  const hasCodes = terms.some(({ sigmas }) => sigmas !== undefined);
  const code = (sigmas: number | undefined) => (sigmas === undefined ? '' : `${sigma(sigmas)} σ`);
  const rows = terms
    .slice(0, TERMS)
    .map((term) => [term.name, ...(hasCodes ? [code(term.sigmas)] : []), nats(term.value), ...beside(term)]);
  const columns = [
    { name: 'z' },
    ...(hasCodes ? [{ name: 'code', numeric: true }] : []),
    { name: 'KL', numeric: true },
    ...BESIDE,
  ];
  printTable(columns, rows, terminal);
  const rest = terms.slice(TERMS).reduce((sum, { value }) => sum + value, 0);
  if (terms.length > TERMS) terminal.print(`  and ${terms.length - TERMS} more with ${nats(rest)} nats`);
  terminal.print();
}

/** Never −0.0. */
const sigma = (value: number): string => formatFixed(Math.round(10 * value) / 10 + 0, 1);

function printNearest(
  { schema }: Model,
  { nearest: { neighbours, rows } }: RowExplanation,
  terminal: Terminal,
): void {
  if (neighbours.length === 0) return;
  const fields = modelFields(schema).filter(({ type }) => type !== 'image');
  const texts = rowTexts(rows, schema);
  const marks = neighbours.some(({ isSame }) => isSame);
  const labels = neighbours.some(({ label }) => label !== undefined);
  const lines = neighbours.map(({ row, distance, label = '', isSame }, i) => [
    String(row),
    formatFixed(distance, 3),
    ...(labels ? [label] : []),
    ...(marks ? [isSame ? 'the same values' : ''] : []),
    ...(fields.length > 0 ? texts[i]! : []),
  ]);
  const columns = [
    { name: 'nearest row' },
    { name: 'distance', numeric: true },
    ...(labels ? [{ name: 'label' }] : []),
    ...(marks ? [{ name: '' }] : []),
    ...fields.map(({ name, type }) => ({ name, numeric: type === 'number' || type === 'integer' })),
  ];
  printTable(columns, lines, terminal);
  terminal.print();
}

function printTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  terminal: Terminal,
): void {
  for (const line of textTable(columns, rows, terminal.columns() - 2)) terminal.print(`  ${line}`);
}
