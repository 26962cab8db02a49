/**
 * The charts. These functions run in the reader's browser: the report carries their text, so each uses nothing but its
 * arguments and the other functions of this file.
 */
import type * as PlotModule from '@observablehq/plot';
import type { ColumnComparison, ReportData, Scatter } from './data.ts';

type Plot = typeof PlotModule;
type Chart = ReturnType<Plot['plot']>;
type Data = Pick<ReportData, 'history' | 'klPerDimension' | 'activeAbove'> & {
  /** What the two curves are of: rows after an epoch, and in it. */
  readonly curves: readonly [string, string];
  readonly scatter?: Scatter;
  readonly columns?: readonly ColumnComparison[];
};

interface Element {
  readonly clientWidth: number;
  replaceChildren(...nodes: unknown[]): void;
}
interface Page {
  querySelectorAll(selector: string): Iterable<Element & { readonly dataset: Record<string, string> }>;
}

/** Fills every element that names a chart in `data-chart`, at its present width. */
function drawAll(page: Page, plot: Plot, data: Data): void {
  const charts: Record<string, (plot: Plot, data: Data, width: number, which: string) => Chart> = {
    curve: drawCurve,
    kl: drawKl,
    scatter: drawScatter,
    column: drawColumn,
  };
  for (const element of page.querySelectorAll('[data-chart]')) {
    const { chart = '', which = '' } = element.dataset;
    element.replaceChildren(charts[chart]!(plot, data, element.clientWidth, which));
  }
}

/** What all charts share. */
function frame(width: number, height: number) {
  return { width, height, style: { background: 'transparent', fontSize: '11px', overflow: 'visible' } };
}

/** One quantity per epoch, after it and in training; the best epoch marked. */
function drawCurve(plot: Plot, { history, curves }: Data, width: number, which: string): Chart {
  const key = which as 'negativeElbo' | 'logPx' | 'kl';
  const sign = key === 'logPx' ? -1 : 1;
  const points = (part: 'train' | 'validation') =>
    history.map((h) => ({ epoch: h.epoch, value: sign * h[part][key], part }));
  const [train, validation] = [points('train'), points('validation')];
  const best = history.filter((h) => h.best).at(-1);
  const marked = validation.filter((p) => p.epoch === best?.epoch);
  const xy = { x: 'epoch', y: 'value' };
  return plot.plot({
    ...frame(width, 220),
    marginLeft: 48,
    marginBottom: 38,
    x: { label: 'epoch', ticks: Math.min(6, history.length), tickFormat: 'd', inset: 4 },
    y: { label: null, grid: true, domain: curveRange([...train, ...validation], history.length), nice: true },
    marks: [
      plot.ruleX(marked, { x: 'epoch', stroke: 'var(--line)', strokeDasharray: '3,3' }),
      plot.line(train, { ...xy, stroke: 'var(--muted)', strokeWidth: 1.5, clip: true }),
      plot.line(validation, { ...xy, stroke: 'var(--accent)', strokeWidth: 2, clip: true }),
      plot.dot(history.length === 1 ? train : [], { ...xy, fill: 'var(--muted)' }),
      plot.dot(marked, { ...xy, fill: 'var(--accent)', r: 4, stroke: 'var(--page)' }),
      plot.tip(
        validation.map((p, i) => ({ ...p, train: train[i]!.value })),
        plot.pointerX({
          ...xy,
          title: (p: { epoch: number; value: number; train: number }) =>
            `epoch ${p.epoch}\n${curves[0]} ${p.value.toFixed(2)}\n${curves[1]} ${p.train.toFixed(2)}`,
        }),
      ),
    ],
  });
}

/** The first tenth of the epochs, and spikes far above the rest, may fall off the top, so that the rest can be told apart. */
export function curveRange(points: readonly { epoch: number; value: number }[], epochs: number): number[] {
  const finite = points.filter((p) => Number.isFinite(p.value));
  const first = Math.min(...finite.map((p) => p.epoch));
  const later = finite.filter((p) => p.epoch >= first + Math.floor(epochs / 10));
  const values = later.map((p) => p.value).sort((a, b) => a - b);
  const [low, quarter, threeQuarters, most] = [0, 0.25, 0.75, 1].map(
    (share) => values[Math.floor(share * (values.length - 1))]!,
  ) as [number, number, number, number];
  const spread = threeQuarters - quarter;
  const high = spread > 0 ? Math.min(most, threeQuarters + 20 * spread) : most;
  return low < high ? [low, high] : [low - 1, high + 1];
}

/** KL of each latent dimension, largest first. */
function drawKl(plot: Plot, { klPerDimension, activeAbove }: Data, width: number): Chart {
  const bars = klPerDimension
    .map((kl, dimension) => ({ kl, dimension }))
    .sort((a, b) => b.kl - a.kl)
    .slice(0, 256)
    .map((bar, rank) => ({ ...bar, rank }));
  return plot.plot({
    ...frame(width, 260),
    marginLeft: 44,
    x: { label: 'latent dimensions, most informative first', type: 'band', axis: null, padding: 0.15 },
    y: { label: 'KL (nats)', grid: true },
    marks: [
      plot.barY(bars, {
        x: 'rank',
        y: 'kl',
        fill: (bar: { kl: number }) => (bar.kl > activeAbove ? 'var(--accent)' : 'var(--muted)'),
        tip: true,
        title: (bar: { kl: number; dimension: number }) =>
          `dimension ${bar.dimension + 1}\n${bar.kl.toFixed(3)} nats${bar.kl > activeAbove ? '' : ', inactive'}`,
      }),
      plot.ruleY([0], { stroke: 'currentColor' }),
    ],
  });
}

/** Where each watched row lies in the latent space. */
function drawScatter(plot: Plot, { scatter }: Data, width: number): Chart {
  const { x, y, xLabel, yLabel, colour } = scatter!;
  const names = colour ? mostFrequent(colour.values, 10) : [];
  const name = (i: number) => (names.includes(colour!.values[i]!) ? colour!.values[i]! : 'others');
  const points = x.map((value, i) => ({ x: value, y: y[i]!, ...(colour && { name: name(i) }) }));
  const others = points.some((p) => p.name === 'others') ? ['others'] : [];
  return plot.plot({
    ...frame(width, Math.min(520, Math.max(320, width * 0.72))),
    marginBottom: 40,
    grid: true,
    x: { label: xLabel },
    y: { label: yLabel },
    ...(colour && {
      color: {
        legend: true,
        label: colour.name,
        domain: [...names, ...others],
        range: palette(names.length, others.length),
      },
    }),
    marks: [
      plot.dot(points, {
        x: 'x',
        y: 'y',
        r: points.length > 2000 ? 1.5 : 2.5,
        fillOpacity: 0.75,
        fill: colour ? 'name' : 'var(--accent)',
        tip: true,
        title: (p: { x: number; y: number; name?: string }) =>
          `${colour ? `${colour.name}: ${p.name}\n` : ''}${p.x.toFixed(2)}, ${p.y.toFixed(2)}`,
      }),
    ],
  });
}

/** Colours that stay apart on white and on black. */
function palette(count: number, others: number): string[] {
  const colours = '4269d0 efb118 ff725c 6cc5b0 3ca951 ff8ab7 a463f2 97bbf5 9c6b4e 7f8fa6'.split(' ');
  return [...colours.slice(0, count).map((c) => `#${c}`), ...(others > 0 ? ['#9498a0'] : [])];
}

/** In natural order, so that 2 comes before 10. */
function mostFrequent(values: readonly string[], most: number): string[] {
  const counts = new Map<string, number>();
  for (const value of values) if (value !== '') counts.set(value, (counts.get(value) ?? 0) + 1);
  const names = [...counts.keys()].sort((a, b) => counts.get(b)! - counts.get(a)!).slice(0, most);
  return names.sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
}

/** One column in the data (filled) and in the samples (outlined). */
function drawColumn(plot: Plot, { columns }: Data, width: number, which: string): Chart {
  const column = columns![Number(which)]!;
  return column.kind === 'number' ? drawNumber(plot, column, width) : drawCategory(plot, column, width);
}

function drawNumber(plot: Plot, column: ColumnComparison & { kind: 'number' }, width: number): Chart {
  const at = (v: number) => (column.dates ? new Date(v) : v);
  const bins = column.data.map((data, i) => ({
    from: at(column.edges[i]!),
    to: at(column.edges[i + 1]!),
    data,
    samples: column.samples[i]!,
  }));
  const outline = [...bins.map((b) => ({ x: b.from, y: b.samples })), { x: at(column.edges.at(-1)!), y: 0 }];
  return plot.plot({
    ...frame(width, 130),
    marginLeft: 6,
    marginRight: 10,
    marginTop: 8,
    marginBottom: 22,
    x: {
      label: null,
      ticks: Math.max(2, Math.floor(width / 75)),
      ...(column.dates ? {} : { tickFormat: '~s' }),
    },
    y: { axis: null },
    marks: [
      plot.rectY(bins, { x1: 'from', x2: 'to', y: 'data', fill: 'var(--data)', inset: 0.3 }),
      plot.line(outline, { x: 'x', y: 'y', curve: 'step-after', stroke: 'var(--accent)', strokeWidth: 1.6 }),
      plot.ruleY([0], { stroke: 'var(--line)' }),
    ],
  });
}

function drawCategory(plot: Plot, column: ColumnComparison & { kind: 'category' }, width: number): Chart {
  const short = (name: string) => (name.length > 14 ? `${name.slice(0, 13)}…` : name);
  const bars = column.names.map((name, i) => ({
    i,
    name,
    data: column.data[i]!,
    samples: column.samples[i]!,
  }));
  return plot.plot({
    ...frame(width, 14 + Math.max(7, bars.length) * 16.6),
    marginLeft: 92,
    marginRight: 10,
    marginTop: 6,
    marginBottom: 6,
    x: { axis: null },
    y: {
      label: null,
      tickSize: 0,
      domain: Array.from({ length: Math.max(7, bars.length) }, (_, i) => i),
      tickFormat: (i: number) => short(bars[i]?.name ?? ''),
    },
    marks: [
      plot.barX(bars, { y: 'i', x: 'data', fill: 'var(--data)', insetTop: 1, insetBottom: 1 }),
      plot.tickX(bars, { y: 'i', x: 'samples', stroke: 'var(--accent)', strokeWidth: 2.5 }),
      plot.tip(
        bars,
        plot.pointerY({
          y: 'i',
          x: 'data',
          title: (b: { name: string; data: number; samples: number }) =>
            `${b.name}\ndata ${(100 * b.data).toFixed(1)} %, samples ${(100 * b.samples).toFixed(1)} %`,
        }),
      ),
    ],
  });
}

/** The `most` commonest categories, the last of them all others together where there are more. */
function mostCommon({ names, data, samples }: ColumnComparison & { kind: 'category' }, most: number) {
  const all = names
    .map((name, i) => ({ name, data: data[i]!, samples: samples[i]! }))
    .filter((b) => b.data + b.samples > 0)
    .sort((a, b) => b.data - a.data);
  const shown = all.slice(0, all.length > most ? most - 1 : most);
  const rest = all.slice(shown.length);
  const sum = (key: 'data' | 'samples') => rest.reduce((total, b) => total + b[key], 0);
  if (rest.length > 0)
    shown.push({ name: `${rest.length} others`, data: sum('data'), samples: sum('samples') });
  return shown.map((bar, i) => ({ ...bar, i }));
}

/** The text of a script that defines `drawAll(page, plot, data)`. */
export function chartsScript(): string {
  const functions = [
    drawAll,
    frame,
    drawCurve,
    curveRange,
    drawKl,
    drawScatter,
    palette,
    mostFrequent,
    drawColumn,
    drawNumber,
    drawCategory,
    mostCommon,
  ];
  // Some compilers wrap functions in a call of __name.
  return ['const __name = (f) => f;', ...functions.map(String)].join('\n');
}
