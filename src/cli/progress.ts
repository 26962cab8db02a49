/** How far training is: a live line on a terminal, a row for each epoch that stays, plain lines now and then elsewhere. */
import type { EpochEvent, StepEvent } from '../train/events.ts';
import type { Terminal } from './terminal.ts';
import { formatFixed, formatNumber, formatSeconds } from './text.ts';

/** Running figures, steadier than those of a single step. */
export interface Pace {
  readonly step: number;
  readonly steps: number;
  readonly epoch: number;
  readonly epochs: number;
  readonly negativeElbo: number;
  readonly logPx: number;
  readonly kl: number;
  /** Steps per second, and seconds left, once they can be told. */
  readonly rate?: number;
  readonly secondsLeft?: number;
}

const nats = (value: number): string => formatFixed(value);

/** The live line, at most `width` characters: what matters less is left out first. */
export function liveLine(pace: Pace, width: number): string {
  const share = pace.steps > 0 ? pace.step / pace.steps : 0;
  const start = `epoch ${pace.epoch}/${pace.epochs}`;
  const all = partsOf(pace, share);
  const length = (count: number) =>
    all.slice(0, count).reduce((n, { text }) => n + 3 + text.length, start.length);
  let count = all.length;
  while (count > 0 && length(count) > width) count--;
  const room = width - length(count) - 3;
  const gauge = room >= 8 ? [bar(share, Math.min(24, room))] : [];
  const shown = all.slice(0, count).sort((a, b) => a.place - b.place);
  return [start, ...gauge, ...shown.map(({ text }) => text)].join('   ').slice(0, width);
}

/** Most important first; `place` is where each stands in the line. */
function partsOf({ negativeElbo, logPx, kl, rate, secondsLeft }: Pace, share: number) {
  const parts = [
    { place: 0, text: `${Math.floor(100 * share)} %` },
    { place: 1, text: `−ELBO ${nats(negativeElbo)}` },
    ...(secondsLeft === undefined ? [] : [{ place: 5, text: `${formatSeconds(secondsLeft)} left` }]),
    { place: 2, text: `−log p(x|z) ${nats(-logPx)}` },
    { place: 3, text: `KL ${nats(kl)}` },
  ];
  if (rate !== undefined) parts.push({ place: 4, text: `${formatNumber(Number(rate.toPrecision(3)))} it/s` });
  return parts;
}

/** ━━━━━╸┈┈┈┈ */
function bar(share: number, length: number): string {
  const done = Math.min(length, Math.round(share * length));
  return '━'.repeat(done) + '┈'.repeat(length - done);
}

const HEADINGS = ['epoch', '−ELBO', '−log p(x|z)', 'KL', 'training', 'time'];
const widthsFor = (epochs: number): number[] => [2 * String(epochs).length + 1, 10, 11, 9, 10, 7];

export const epochHeading = (epochs: number): string => columns(HEADINGS, epochs);

/** Validation figures of an epoch, and the training −ELBO beside them. */
export function epochRow(event: EpochEvent, epochs: number): string {
  const { epoch, validation, train, seconds, best, accuracy, bound } = event;
  const figures = [validation.negativeElbo, -validation.logPx, validation.kl, train.negativeElbo].map(nats);
  const row = columns([`${epoch}/${epochs}`, ...figures, formatSeconds(seconds)], epochs);
  const labels = accuracy === undefined ? '' : `  ${formatFixed(100 * accuracy, 1)} % of labels right`;
  const judged = bound === undefined ? '' : `  log p(x) ≥ ${nats(bound)}`;
  return row + judged + labels + (best ? '  best' : '');
}

const columns = (cells: readonly string[], epochs: number): string =>
  cells.map((cell, i) => cell.padStart(Math.max(widthsFor(epochs)[i]!, HEADINGS[i]!.length))).join('  ');

export interface Progress {
  start(step: number, epochs: number): void;
  step(event: StepEvent): void;
  epoch(event: EpochEvent): void;
  /** A line among the progress. */
  say(text: string): void;
  /** Takes the live line away. */
  clear(): void;
}

const DRAW_EVERY = 80; // ms
const PLAIN_EVERY = 30_000; // ms
const BEGINNING = 3; // seconds before time left is told

/** `now` gives milliseconds. */
export function createProgress(terminal: Terminal, now: () => number = () => performance.now()): Progress {
  let [began, first, epochs, drawnAt] = [now(), 0, 0, now()];
  let pace: Pace | undefined;
  let isDrawn = false;
  const live = terminal.isLive.err;
  const clear = () => {
    if (isDrawn) terminal.draw('\r\x1b[2K');
    isDrawn = false;
  };
  const say = (text: string) => {
    clear();
    terminal.remark(text);
  };
  const draw = (current: Pace) => {
    const line = liveLine(current, terminal.columns() - 1);
    if (live) terminal.draw(`\r\x1b[2K${terminal.paint('cyan', line)}`);
    else terminal.remark(line);
    isDrawn = live;
  };
  return {
    say,
    clear,
    start: (step, total) => {
      [began, drawnAt, first, epochs] = [now(), now(), step, total];
      say(terminal.paint('bold', epochHeading(total)));
    },
    step: (event) => {
      pace = nextPace(pace, event, epochs, (now() - began) / 1000, first);
      if (now() - drawnAt < (live ? DRAW_EVERY : PLAIN_EVERY)) return;
      drawnAt = now();
      draw(pace);
    },
    epoch: (event) => {
      const row = epochRow(event, epochs);
      say(event.best ? row : terminal.paint('dim', row));
      drawnAt = live ? drawnAt : now();
    },
  };
}

function nextPace(
  before: Pace | undefined,
  event: StepEvent,
  epochs: number,
  seconds: number,
  first: number,
): Pace {
  const epoch = Math.min(epochs, Math.ceil((event.step / event.steps) * epochs));
  const mix = (a: number | undefined, b: number) =>
    a === undefined || !Number.isFinite(a) || before?.epoch !== epoch ? b : 0.95 * a + 0.05 * b;
  const rate = (event.step - first) / seconds;
  const tellable = seconds >= BEGINNING && rate > 0;
  return {
    step: event.step,
    steps: event.steps,
    epoch,
    epochs,
    negativeElbo: mix(before?.negativeElbo, event.negativeElbo),
    logPx: mix(before?.logPx, event.logPx),
    kl: mix(before?.kl, event.kl),
    ...(tellable && { rate, secondsLeft: (event.steps - event.step) / rate }),
  };
}
