/** How far work of several stages is: a live line on a terminal, a plain line now and then elsewhere. */
import type { Terminal } from './terminal.ts';
import { formatSeconds } from './text.ts';

export interface Stage {
  /** What is being done. */
  readonly stage: string;
  readonly done: number;
  readonly total: number;
}

export interface Stages {
  tell(stage: Stage): void;
  /** Takes the live line away. */
  clear(): void;
}

const DRAW_EVERY = 80; // ms
const PLAIN_EVERY = 30_000; // ms
const BEGINNING = 3; // seconds before time left is told

/** `now` gives milliseconds. */
export function createStages(terminal: Terminal, now: () => number = () => performance.now()): Stages {
  const live = terminal.isLive.err;
  let [current, began, drawnAt] = ['', now(), now()];
  let isDrawn = false;
  return {
    tell: (stage) => {
      if (stage.stage !== current) [current, began] = [stage.stage, now()];
      if (terminal.wantsJson || now() - drawnAt < (live ? DRAW_EVERY : PLAIN_EVERY)) return;
      drawnAt = now();
      const line = stageLine(stage, (now() - began) / 1000).slice(0, terminal.columns() - 1);
      if (live) terminal.draw(`\r\x1b[2K${terminal.paint('cyan', line)}`);
      else terminal.remark(line);
      isDrawn = live;
    },
    clear: () => {
      if (isDrawn) terminal.draw('\r\x1b[2K');
      isDrawn = false;
    },
  };
}

/** "log p(x)   43 %   2:05 left"; the time left once it can be told. */
export function stageLine({ stage, done, total }: Stage, seconds: number): string {
  const share = total > 0 ? done / total : 1;
  const left =
    seconds >= BEGINNING && share > 0 ? `   ${formatSeconds((seconds * (1 - share)) / share)} left` : '';
  return `${stage}   ${Math.floor(100 * share)} %${left}`;
}
