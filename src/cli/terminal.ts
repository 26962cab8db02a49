/** Where a command prints: results to stdout, progress and remarks to stderr; how wide, and whether in colour. */
import { styleText } from 'node:util';
import { harmless } from './text.ts';

export type Style = Parameters<typeof styleText>[0];

export interface Terminal {
  /** A line of the result; what data could hold to steer the terminal is written out. */
  print(line?: string): void;
  /** A line beside the result: remarks, what to type next. */
  remark(line?: string): void;
  /** Bytes of the result as they are. */
  write(content: string | Uint8Array): void;
  /** Progress, raw. */
  draw(text: string): void;
  /** One line of JSON of the result. */
  json(value: unknown): void;
  paint(style: Style, text: string): string;
  readonly wantsJson: boolean;
  /** Whether a person reads stdout, stderr. */
  readonly isLive: { readonly out: boolean; readonly err: boolean };
  columns(): number;
}

export interface Streams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
}

export function createTerminal({ stdout, stderr, env }: Streams, wantsJson: boolean): Terminal {
  const coloured = Boolean(stderr.isTTY) && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  const remark = (line = '') => void stderr.write(`${harmless(line)}\n`);
  return {
    print: (line = '') => void stdout.write(`${harmless(line)}\n`),
    remark,
    write: (content) => void stdout.write(content),
    draw: (text) => void stderr.write(text),
    json: (value) => void stdout.write(`${JSON.stringify(value)}\n`),
    paint: (style, text) => (coloured ? styleText(style, text) : text),
    wantsJson,
    isLive: { out: Boolean(stdout.isTTY) && !wantsJson, err: Boolean(stderr.isTTY) },
    columns: () => Math.max(40, stderr.columns || stdout.columns || 100),
  };
}
