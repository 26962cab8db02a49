/** Draws results/scale.json, one SVG a question beside it. npm run ts -- bench/plots.ts */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runInBrowser } from '../test/runtime/browser.ts';

/** What an example costs at one size, microseconds. */
export interface Point {
  /** The line it belongs to. */
  readonly series: string;
  readonly size: number;
  /** The median of single steps, their quartiles, the least. */
  readonly cost: number;
  readonly low: number;
  readonly high: number;
  readonly least: number;
  readonly blocks: number;
  readonly disturbed: number;
  readonly quiet: boolean;
  /** GFLOP/s of what no implementation can leave out, and what that would cost at the peak. */
  readonly rate?: number;
  readonly bound?: number;
}

export interface Question {
  readonly title: string;
  /** What grows, with its unit. */
  readonly axis: string;
  /** GFLOP/s of large matrix products in the same minutes. */
  readonly peak: number;
  readonly points: readonly Point[];
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export async function drawScale(): Promise<void> {
  const results = JSON.parse(readFileSync(here('results/scale.json'), 'utf8')) as Record<string, Question>;
  const drawn = (await runInBrowser(here('draw.ts'), results)) as Record<string, string>;
  for (const [name, svg] of Object.entries(drawn)) {
    writeFileSync(here(`results/scale-${name}.svg`), `${svg}\n`);
    console.log(`written: bench/results/scale-${name}.svg`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await drawScale();
