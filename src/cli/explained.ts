/** What `explain` found, for people. */
import { modelFields } from '../data/index.ts';
import { isoDate, rowTexts } from '../data/texts.ts';
import type { Dimension } from '../tasks/explain/dimensions.ts';
import type { Effect } from '../tasks/explain/effects.ts';
import type { RowExplanation, Term } from '../tasks/explain/rows.ts';
import type { Explanation } from '../tasks/explain.ts';
import type { Model } from '../tasks/model.ts';
import type { Terminal } from './terminal.ts';
import { cut, formatFixed, plural, textTable, wrap } from './text.ts';

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
  for (const row of found.explained) printRow(model, row, terminal);
  if (found.protocols.rows) say(`Terms: ${found.protocols.rows}`);
  if (found.protocols.nearest) say(`Nearest ${found.protocols.nearest}`);
  if (found.absent.nearest) say(`Nearest training rows: ${found.absent.nearest}`);
  if (paths.length > 0) {
    terminal.print();
    for (const path of paths) terminal.print(`Written  ${path}`);
    if (found.protocols.traversal) say(found.protocols.traversal);
  }
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
  const isPicture = modelFields(model.schema)[0]!.type === 'image';
  terminal.print('Latent dimensions, those that say most first');
  const lines = isPicture ? pictureLines(shown, span) : fieldLines(model, shown, span);
  for (const line of textTable(lines.columns, lines.rows, terminal.columns())) terminal.print(line);
  const further = dimensions.filter((d) => d.isActive !== false && !shown.includes(d));
  if (further.length > 0) say(`and ${further.length} more: ${names(further)}; --json has all`);
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
      { name: '  z' },
      { name: 'KL', numeric: true },
      { name: 'σ', numeric: true },
      { name: `change of a pixel, −${span}σ to ${span}σ`, numeric: true },
      { name: 'slope', numeric: true },
    ],
    rows: dimensions.map(({ name, kl, deviation, effects }) => [
      `  ${name}`,
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
      { name: '  z' },
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
          i === 0 ? `  ${name}` : '',
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
  return `${value > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} %`;
};

/** Three digits, or as many as there are before the point. */
function short(value: number): string {
  const rounded = Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(3));
  return rounded.toLocaleString('en', { maximumFractionDigits: 10 }).replace('-', '−');
}

function printRow(model: Model, found: RowExplanation, terminal: Terminal): void {
  const { row, split, elbo, fields, kl } = found;
  const logPx = fields.reduce((sum, { value }) => sum + value, 0);
  terminal.print(
    `Row ${row} (${split}): ELBO ${formatFixed(elbo.value)} nats, ${rarity(elbo)}; mean ${formatFixed(elbo.mean)}`,
  );
  terminal.print(`  log p(x|z) ${formatFixed(logPx)}, KL ${formatFixed(logPx - elbo.value)}`);
  printFields(model, found, terminal);
  printKl(kl, terminal);
  printNearest(model, found, terminal);
  terminal.print();
}

/** "below 84 % of the rows": how likely a thing is beside others. */
const rarity = ({ rank }: Term): string => `above ${percent(rank)} of the rows`;

function printFields({ schema }: Model, found: RowExplanation, terminal: Terminal): void {
  const all = modelFields(schema);
  const [values] = rowTexts(found.original, schema);
  const [again] = rowTexts(found.reconstruction, schema);
  const isPicture = all[0]!.type === 'image';
  const cells = (name: string) => {
    const j = all.findIndex((field) => field.name === name);
    return isPicture ? [] : [values![j]!, again![j]!];
  };
  const rows = [
    ...found.fields
      .slice(0, FIELDS)
      .map((term) => [
        `  ${term.field}`,
        ...cells(term.field),
        nats(term.value),
        nats(term.mean),
        percent(term.rank),
      ]),
    ...found.missing.map((name) => [`  ${name}`, '', cells(name)[1] ?? '', 'missing', '', '']),
  ];
  const columns = [
    { name: '  field' },
    ...(isPicture ? [] : [{ name: 'value' }, { name: 'reconstruction' }]),
    { name: 'log p(x|z)', numeric: true },
    { name: 'mean', numeric: true },
    { name: 'above', numeric: true },
  ];
  for (const line of textTable(columns, rows, terminal.columns())) terminal.print(line);
  if (found.fields.length > FIELDS)
    terminal.print(`  and ${plural(found.fields.length - FIELDS, 'more field')}: --json has all`);
}

function printKl(terms: RowExplanation['kl'], terminal: Terminal): void {
  if (terms.length === 0) return;
  const hasCodes = terms.some(({ sigmas }) => sigmas !== undefined);
  const rows = terms
    .slice(0, TERMS)
    .map(({ name, value, mean, rank, sigmas }) => [
      `  ${name}`,
      ...(hasCodes ? [sigmas === undefined ? '' : `${formatFixed(sigmas, 1)} σ`] : []),
      nats(value),
      nats(mean),
      percent(rank),
    ]);
  const columns = [
    { name: '  z' },
    ...(hasCodes ? [{ name: 'code', numeric: true }] : []),
    { name: 'KL', numeric: true },
    { name: 'mean', numeric: true },
    { name: 'above', numeric: true },
  ];
  for (const line of textTable(columns, rows, terminal.columns())) terminal.print(line);
  const rest = terms.slice(TERMS);
  if (rest.length > 0)
    terminal.print(
      `  and ${rest.length} more with ${formatFixed(rest.reduce((sum, { value }) => sum + value, 0))} nats`,
    );
}

function printNearest(
  { schema }: Model,
  { nearest: { neighbours, rows } }: RowExplanation,
  terminal: Terminal,
): void {
  if (neighbours.length === 0) return;
  const fields = modelFields(schema).filter(({ type }) => type !== 'image');
  const texts = rowTexts(rows, schema);
  const lines = neighbours.map(({ row, distance, isSame }, i) => [
    `  ${row}`,
    formatFixed(distance, 3),
    ...(fields.length > 0 ? texts[i]! : []),
    ...(neighbours.some((n) => n.isSame) ? [isSame ? 'the same values' : ''] : []),
  ]);
  const columns = [
    { name: '  nearest row' },
    { name: 'distance', numeric: true },
    ...fields.map(({ name, type }) => ({ name, numeric: type === 'number' || type === 'integer' })),
    ...(neighbours.some((n) => n.isSame) ? [{ name: '' }] : []),
  ];
  for (const line of textTable(columns, lines, terminal.columns())) terminal.print(line);
}
