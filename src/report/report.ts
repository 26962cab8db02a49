/** report.html: one file that shows a model to a person and opens from the disk, with no network. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { CodeUse } from '../train/events.ts';
import { chartsScript } from './charts.ts';
import type { ColumnComparison, Fact, Figure, Pictures, ReportData, TablePairs, TableRows } from './data.ts';
import { style } from './style.ts';

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const html = (text: string): string => text.replace(/[&<>"']/g, (c) => entities[c]!);
const join = <T>(items: readonly T[], render: (item: T, i: number) => string): string =>
  items.map(render).join('');

/** The page; `data` may come from anywhere, all of it is escaped. */
export function report(data: ReportData): string {
  const scripts = [...libraries(), drawScript()];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(scripts)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${html(data.title)}</title>
<style>${style}</style>
</head>
<body>
${body(data)}
<script type="application/json" id="data">${chartData(data)}</script>
${join(scripts, (text) => `<script>${text}</script>\n`)}</body>
</html>
`;
}

/** Scripts only as written here, pictures only inline, nothing from anywhere else. */
function policy(scripts: readonly string[]): string {
  const hashes = scripts.map((text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`);
  return `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src ${hashes.join(' ')}`;
}

/** D3 and Observable Plot, from this package's dependencies. */
function libraries(): string[] {
  const { resolve } = createRequire(import.meta.url);
  const inside = (name: string, file: string) =>
    resolve(name).replace(/dist[\\/][^\\/]*$|src[\\/][^\\/]*$/, file);
  const files = [inside('d3', 'dist/d3.min.js'), inside('@observablehq/plot', 'dist/plot.umd.min.js')];
  return files.map((file) => inScript(readFileSync(file, 'utf8')));
}

const inScript = (text: string): string => text.replace(/<\/(script)/gi, '<\\/$1');

function drawScript(): string {
  return inScript(`(() => {
${chartsScript()}
const data = JSON.parse(document.querySelector('#data').textContent);
const draw = () => drawAll(document, Plot, data);
draw();
let width = innerWidth;
let timer;
addEventListener('resize', () => {
  if (innerWidth === width) return;
  width = innerWidth;
  clearTimeout(timer);
  timer = setTimeout(draw, 100);
});
})();`);
}

/** No text in it can end the script element. */
function chartData({ watched, history, klPerDimension, activeAbove, scatter, columns }: ReportData): string {
  const json = JSON.stringify({
    curves: curveNames(watched),
    history,
    klPerDimension,
    activeAbove,
    scatter,
    columns,
  });
  return json.replaceAll('<', '\\u003c').replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}

function body(data: ReportData): string {
  return [
    `<header><h1>${html(data.title)}</h1><p class="soft">${html(data.subtitle)}</p></header>`,
    `<div class="figures">${join(data.figures, figure)}</div>${protocols(data.figures)}`,
    data.notes.length ? section('Findings', `<ul class="notes">${join(data.notes, item)}</ul>`) : '',
    data.samples ? section('Samples', samples(data.samples), SAMPLES) : '',
    data.columns?.length ? section('Columns', columns(data.columns), COLUMNS) : '',
    data.reconstructions
      ? section('Reconstructions', reconstructions(data.reconstructions), RECONSTRUCTIONS[data.watched])
      : '',
    data.history.length ? section('Training', curves(data), TRAINING) : '',
    data.klPerDimension.length ? section('Latent space', latent(data)) : '',
    section('Model', model(data)),
    '<footer>Made by Elbo. This page is complete in itself and loads nothing.</footer>',
  ].join('\n');
}

const SAMPLES = 'Drawn from the model: z from the prior, then x from p(x|z).';
const COLUMNS =
  'Each column in the data and in samples. The figure is 1 − Kolmogorov–Smirnov distance for numbers and dates, ' +
  '1 − total variation distance for categories: 100 % means the same distribution.';
const RECONSTRUCTIONS = {
  validation: 'Rows the model was not trained on, encoded and decoded again.',
  training: 'Training rows, encoded and decoded again.',
};
const TRAINING =
  'Nats per example: sum over dimensions, mean over examples. Lower is better in the first chart.';

const section = (title: string, content: string, lead = ''): string =>
  `<section><h2>${title}</h2>${lead && `<p>${lead}</p>`}${content}</section>`;
const item = (text: string): string => `<li>${html(text)}</li>`;
const chart = (name: string, which: string | number = ''): string =>
  `<div data-chart="${name}" data-which="${which}"></div>`;

function figure({ name, value, unit }: Figure): string {
  const small = unit && ` <small>${html(unit)}</small>`;
  return `<div class="figure"><div>${html(name)}</div><b>${number(value)}${small}</b></div>`;
}

/** Each once, with the figures that it made. */
function protocols(figures: readonly Figure[]): string {
  const of = (protocol: string) => figures.filter((f) => f.protocol === protocol).map((f) => f.name);
  const line = (protocol: string) => `<li>${html(of(protocol).join(', '))}: ${html(protocol)}</li>`;
  return `<ul class="protocols">${join([...new Set(figures.map((f) => f.protocol))], line)}</ul>`;
}

function number(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value < 0) return `−${number(-value)}`;
  if (Number.isInteger(value)) return value.toLocaleString('en');
  const digits = Math.abs(value) >= 10_000 ? 0 : Math.abs(value) >= 1 ? 2 : 4;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

const samples = (given: Pictures | TableRows): string =>
  given.kind === 'pictures' ? pictures(given) : table(given);
const reconstructions = (given: Pictures | TablePairs): string =>
  given.kind === 'pictures' ? pictures(given) : pairs(given);

/** Small sheets are enlarged by a whole factor, so that every pixel stays a square. */
function pictures({ png, caption }: Pictures): string {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const factor = Math.max(1, Math.floor(1060 / width));
  const size = `width="${width * factor}" height="${height * factor}"`;
  const source = `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
  return `<figure><img alt="${html(caption)}" ${size} src="${source}"><figcaption>${html(caption)}</figcaption></figure>`;
}

const cell = (text: string, numeric: boolean, differs = false): string => {
  const classes = [numeric && 'n', text === '' && 'none', differs && 'differs'].filter(Boolean).join(' ');
  return `<td${classes && ` class="${classes}"`}>${text === '' ? '–' : html(text)}</td>`;
};
const head = ({ columns }: TableRows, first = ''): string =>
  `<thead><tr>${first}${join(columns, (c) => `<th${c.numeric ? ' class="n"' : ''}>${html(c.name)}</th>`)}</tr></thead>`;
const scroll = (content: string): string => `<div class="scroll"><table>${content}</table></div>`;

function table(given: TableRows): string {
  const row = (cells: readonly string[]) =>
    `<tr>${join(cells, (text, j) => cell(text, given.columns[j]!.numeric))}</tr>`;
  return scroll(`${head(given)}<tbody>${join(given.rows, row)}</tbody>`);
}

function pairs({ original, reconstruction }: TablePairs): string {
  const pair = (row: readonly string[], i: number) => {
    const again = reconstruction.rows[i]!;
    const first = join(row, (text, j) => cell(text, original.columns[j]!.numeric));
    const second = join(again, (text, j) => cell(text, original.columns[j]!.numeric, text !== row[j]));
    return `<tbody class="pair"><tr><td>original</td>${first}</tr><tr><td>reconstruction</td>${second}</tr></tbody>`;
  };
  return scroll(head(original, '<th></th>') + join(original.rows, pair));
}

function columns(given: readonly ColumnComparison[]): string {
  const key = '<div class="key"><span><i class="box"></i>data</span><span><i></i>samples</span></div>';
  const one = (column: ColumnComparison, i: number) =>
    `<div><h3 title="${html(column.name)}"><span>${html(column.name)}</span><span>${(100 * column.similarity).toFixed(1)} %</span></h3>${chart('column', i)}</div>`;
  return `${key}<div class="many">${join(given, one)}</div>`;
}

/** What the two curves are of: the rows that epochs are judged by, after each, and what training saw on its way. */
const curveNames = (watched: ReportData['watched']): readonly [string, string] =>
  watched === 'validation' ? ['validation', 'training'] : ['training rows after the epoch', 'during it'];

function curves({ history, watched }: ReportData): string {
  const best = history.filter((h) => h.best).at(-1)?.epoch;
  const mark = best === undefined ? '' : `<span><i class="dot"></i>best epoch: ${best}</span>`;
  const names = curveNames(watched);
  const key = `<div class="key"><span><i></i>${names[0]}</span><span><i class="muted"></i>${names[1]}</span>${mark}</div>`;
  const titles = { negativeElbo: '−ELBO', logPx: 'reconstruction, −log p(x|z)', kl: 'KL(q(z|x) ‖ p(z))' };
  const one = ([which, title]: readonly [string, string]) =>
    `<div><h3>${title}</h3>${chart('curve', which)}</div>`;
  return `${key}<div class="three">${join(Object.entries(titles), one)}</div>`;
}

function latent(data: ReportData): string {
  const by = data.scatter?.colour ? `, coloured by ${html(data.scatter.colour.name)}` : '';
  const dots = data.scatter
    ? `<div><h3>${data.watched === 'training' ? 'Training' : 'Validation'} rows${by}</h3>${chart('scatter')}</div>`
    : '';
  const { lead, bars } = data.codes ? { lead: useOf(data.codes), bars: '' } : kl(data);
  return `<p>${lead}</p><div class="wide">${dots}${bars}</div>`;
}

const useOf = ({ entries, used, perplexity }: CodeUse): string =>
  `${used} of ${entries} codes are in use; ${perplexity.toFixed(1)}, evenly used, would tell as much apart.`;

function kl({ klPerDimension, klOf, activeAbove }: ReportData) {
  if (klOf === 'whole')
    return { lead: `z carries ${klPerDimension[0]!.toFixed(2)} nats about a row.`, bars: '' };
  const active = klPerDimension.filter((kl) => kl > activeAbove).length;
  const what = klOf === 'level' ? 'levels' : 'latent dimensions';
  const lead = `${active} of ${klPerDimension.length} ${what} carry more than ${activeAbove} nats about a row.`;
  const idle = active < klPerDimension.length ? '<span><i class="block muted"></i>inactive</span>' : '';
  const key = `<div class="key"><span><i class="block"></i>active</span>${idle}</div>`;
  const bars = `<div><h3>KL per ${klOf}, most informative first</h3>${key}${chart('kl')}</div>`;
  return { lead, bars };
}

function model({ facts, choices, fields }: ReportData): string {
  const row = ({ label, value }: Fact) => `<tr><td>${html(label)}</td><td>${html(value)}</td></tr>`;
  const listed = (title: string, lines: readonly string[]) =>
    lines.length ? `<details><summary>${title}</summary><ul>${join(lines, item)}</ul></details>` : '';
  return (
    `<div class="scroll"><table class="facts"><tbody>${join(facts, row)}</tbody></table></div>` +
    listed('What was chosen, and how to choose otherwise', choices) +
    listed('Fields of the data', fields)
  );
}
