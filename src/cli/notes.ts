/** Findings about data in plain words, beside the result. */
import type { Terminal } from './terminal.ts';
import { wrap } from './text.ts';

export function tellNotes(notes: readonly string[], terminal: Terminal, indent = ''): void {
  for (const note of notes)
    for (const line of wrap(`${terminal.paint('yellow', 'Note')}: ${note}`, terminal.columns(), indent))
      terminal.remark(line);
}
