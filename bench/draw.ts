/** The plots of bench/scale.ts, drawn in a page: each question as the text of an SVG that stands by itself. */
import * as Plot from '@observablehq/plot';
import type { Point, Question } from './plots.ts';

declare const XMLSerializer: new () => { serializeToString(node: unknown): string };

const COLOURS = ['#4269d0', '#efb118', '#3ca951'];
const MUTED = '#7f8fa6';
const TEXT = '#1d2129';
const CHARACTER = 7; // pixels of the key's font

/** A line and what it is called. */
interface Series {
  readonly name: string;
  readonly colour: string;
  readonly points: readonly Point[];
}

const seriesOf = (points: readonly Point[]): Series[] =>
  [...new Set(points.map(({ series }) => series))].map((name, i) => ({
    name,
    colour: COLOURS[i]!,
    points: points.filter(({ series }) => series === name),
  }));

const measured = ({ points, colour }: Series) => [
  Plot.ruleX(points, { x: 'size', y1: 'low', y2: 'high', stroke: colour, strokeWidth: 1.2 }),
  Plot.line(points, { x: 'size', y: 'cost', stroke: colour, strokeWidth: 2 }),
  Plot.dot(points, { x: 'size', y: 'cost', fill: colour, r: 3.5 }),
];

const short = (value: number): string => String(Number(value.toPrecision(2)));

const products = (points: readonly Point[]) => [
  Plot.line(points, { x: 'size', y: 'bound', stroke: MUTED, strokeWidth: 1.5, strokeDasharray: '5,4' }),
  Plot.text(points, {
    x: 'size',
    y: 'high',
    text: ({ rate }: Point) => short(rate!),
    dy: -10,
    fill: TEXT,
    stroke: 'white',
    strokeWidth: 4,
  }),
];

interface Entry {
  readonly text: string;
  readonly colour: string;
}

/** Entries side by side above the frame. */
function key(entries: readonly Entry[]) {
  let at = 0;
  return entries.map(({ text, colour }) => {
    const mark = Plot.text([text], {
      frameAnchor: 'top-left',
      dx: at,
      dy: -24,
      fill: colour,
      fontWeight: 600,
    });
    at += (text.length + 3) * CHARACTER;
    return mark;
  });
}

/** An axis with a label in its middle and every tick written out. */
const named = (label: string, labelOffset: number) => ({
  label,
  labelAnchor: 'center' as const,
  labelArrow: 'none' as const,
  labelOffset,
  text: (value: number) => value.toLocaleString('en'),
});

/** Round numbers in the range of the costs, the fewer the wider it is. */
function ticksFor(points: readonly Point[]): number[] {
  const all = points.flatMap(({ low, high, bound = low }) => [low, high, bound]);
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const range = most / least;
  const steps = range > 300 ? [1] : range > 8 ? [1, 2, 5] : [1, 2, 3, 4, 5, 6, 8];
  const decades = Array.from({ length: 12 }, (_, i) => 10 ** (i - 4));
  return decades.flatMap((ten) => steps.map((s) => s * ten)).filter((v) => v >= least && v <= most);
}

function draw({ title, axis, peak, points }: Question): string {
  const lines = seriesOf(points);
  const bounded = points.filter(({ bound }) => bound !== undefined);
  const entries = lines.map(({ name, colour }) => ({ text: `● ${name}`, colour }));
  if (bounded.length > 0)
    entries.push(
      { text: `- - its matrix products alone, at ${peak.toFixed(0)} GFLOP/s`, colour: MUTED },
      { text: 'numbers: GFLOP/s reached', colour: TEXT },
    );
  const sizes = [...new Set(points.map(({ size }) => size))];
  const ticks = ticksFor(points);
  const chart = Plot.plot({
    ariaLabel: title,
    width: 760,
    height: 404,
    marginTop: 62,
    marginLeft: 64,
    marginRight: 28,
    marginBottom: 48,
    style: { background: 'white', color: TEXT, fontSize: '12px', fontFamily: 'system-ui, sans-serif' },
    x: { type: 'log', inset: 16 },
    y: { type: 'log', inset: 16 },
    marks: [
      Plot.axisX(sizes, named(axis, 42)),
      Plot.axisY(ticks, named('µs an example', 56)),
      Plot.gridY(ticks),
      Plot.text([title], { frameAnchor: 'top-left', dy: -48, fontSize: 15, fontWeight: 650 }),
      ...key(entries),
      ...(bounded.length > 0 ? products(bounded) : []),
      ...lines.flatMap(measured),
    ],
  });
  return new XMLSerializer().serializeToString(chart);
}

export default async (questions: Readonly<Record<string, Question>>): Promise<Record<string, string>> =>
  Object.fromEntries(Object.entries(questions).map(([name, question]) => [name, draw(question)]));
