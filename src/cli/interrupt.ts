/** Ctrl-C: the first asks a long job to stop where it can keep what it has, the second ends the process. */
import { EXIT } from './errors.ts';
import type { Terminal } from './terminal.ts';

export interface Interrupt {
  readonly signal: { readonly aborted: boolean };
  /** Ctrl-C ends the process again. */
  readonly forget: () => void;
}

/** `promise` is what is said at the first. */
export function onInterrupt(terminal: Terminal, promise: string): Interrupt {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort();
    if (terminal.isLive.err) terminal.draw('\r\x1b[2K');
    terminal.remark(`${promise} Ctrl-C again stops at once.`);
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  const forget = () => void process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  return { signal: controller.signal, forget };
}
