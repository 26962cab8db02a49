/** Where the time of a training step goes, as a table that fits a terminal. */
import type { ProfileEvent } from '../tasks/profile.ts';
import type { ProfileNode, ProfilePart } from '../train/index.ts';
import type { Terminal } from './terminal.ts';
import { formatFixed, plural, textTable, wrap } from './text.ts';

export function printProfile(event: ProfileEvent, terminal: Terminal): void {
  const { rows, threads, seconds, parts, isSlowed, advice, path } = event;
  const width = terminal.columns();
  const bold = (text: string) => terminal.print(terminal.paint('bold', text));
  terminal.print();
  bold(
    `A step of ${plural(rows, 'example')} takes ${time(seconds, seconds)} ms with ${plural(threads, 'thread')}`,
  );
  for (const line of partLines(parts, seconds)) terminal.print(line);
  terminal.print();
  bold(`The ${event.nodes.length} most expensive nodes`);
  for (const line of nodeLines(event.nodes, seconds, width - 2)) terminal.print(`  ${line}`);
  terminal.print();
  for (const line of wrap(advice, width)) terminal.print(line);
  if (isSlowed) for (const line of wrap(SLOWED, width)) terminal.print(line);
  terminal.print(`Trace  ${path}`);
}

const SLOWED =
  'The training was short, so the trace itself is in these times, mostly between nodes: from 200 steps on it is not.';

/** Milliseconds, with as many decimals as the step deserves. */
const time = (seconds: number, step: number): string =>
  formatFixed(seconds * 1e3, step < 1e-3 ? 3 : step < 0.1 ? 2 : 1);

const speed = (gflops: number): string => formatFixed(gflops, gflops < 9.95 ? 1 : 0);

const percent = (share: number): string => `${Math.round(100 * share)} %`;

const BAR = 20; // characters for the whole step

/** The engine and what is outside it, each with its parts, the largest first; parts that never occur are left out. */
function partLines(parts: readonly ProfilePart[], step: number): string[] {
  const rows = [true, false].flatMap((inEngine) => {
    const own = parts.filter((part) => part.inEngine === inEngine);
    const sum = (of: 'seconds' | 'share') => own.reduce((total, part) => total + part[of], 0);
    const heading = {
      label: inEngine ? 'in the engine' : 'outside',
      seconds: sum('seconds'),
      share: sum('share'),
    };
    const shown = own.filter(({ seconds }) => seconds > 0).sort((a, b) => b.seconds - a.seconds);
    return [
      { ...heading, note: '' },
      ...shown.map((part) => ({ ...part, label: `  ${part.work}`, note: noteOf(part) })),
    ];
  });
  const wide = Math.max(...rows.map(({ label }) => label.length));
  const times = rows.map(({ seconds }) => time(seconds, step));
  const most = Math.max(...times.map((text) => text.length));
  return rows.map(({ label, share, note }, i) => {
    const bar = '━'.repeat(Math.round(share * BAR)).padEnd(BAR);
    const figures = `${times[i]!.padStart(most)} ms  ${percent(share).padStart(5)}`;
    return `  ${label.padEnd(wide)}  ${figures}  ${bar}  ${note}`.trimEnd();
  });
}

const noteOf = ({ work, nodes, gflops }: ProfilePart): string =>
  [
    ...(nodes > 0 && work !== 'between nodes' ? [plural(nodes, 'node')] : []),
    ...(gflops === undefined ? [] : [`${speed(gflops)} GFLOP/s`]),
  ].join(', ');

const COLUMNS = [
  { name: 'ms', numeric: true },
  { name: 'share', numeric: true },
  { name: 'GFLOP/s', numeric: true },
  { name: 'layer' },
  { name: 'work' },
];

function nodeLines(nodes: readonly ProfileNode[], step: number, width: number): string[] {
  const rows = nodes.map((node) => [
    time(node.seconds, step),
    percent(node.share),
    node.gflops === undefined ? '' : speed(node.gflops),
    node.layer,
    workOf(node),
  ]);
  return textTable(COLUMNS, rows, width);
}

/** `128×784 · 784×400`, `4 of 64×49 · 49×32`, `ReduceSum 128×784 → 128`. */
function workOf({ op, product, inputs, outputs }: ProfileNode): string {
  if (product) {
    const { m, k, n, count } = product;
    return `${count > 1 ? `${count} of ` : ''}${m}×${k} · ${k}×${n}`;
  }
  const [from, to] = [inputs[0] ?? [], outputs[0] ?? []].map((shape) => shape.join('×'));
  return from === to ? `${op} ${from}` : `${op} ${from} → ${to}`;
}
