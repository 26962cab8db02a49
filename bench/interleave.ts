/** Times several things in turns, so that a machine that drifts or is disturbed treats them alike. */
import { type Cores, watchCores } from './cores.ts';
import { quiet, snapshot, type Usage, usageSince } from './quiet.ts';

/** What is timed: a block of steps, in milliseconds each, the first `warm` left out. */
export interface Case {
  readonly block: (warm: number, steps: number) => Promise<readonly number[]>;
  /** The processes that work for it beside this one. What others still do then, idle peers among them, disturbs it. */
  readonly pids?: readonly number[];
}

export interface Timing {
  /** Of single steps, milliseconds. */
  readonly median: number;
  readonly minimum: number;
  /** First and third quartile. */
  readonly low: number;
  readonly high: number;
  readonly steps: number;
  /** Processor time of a step by the median block, milliseconds: less sensitive to others than the clock. */
  readonly processor: number;
  /** Blocks used, and left out because others were busy or the cores apart. */
  readonly used: number;
  readonly disturbed: number;
  /** False where too few blocks were undisturbed and the least disturbed third was used instead. */
  readonly quiet: boolean;
}

const WARM = 8;
const BLOCK_MS = 1000; // about how long a block lasts
/** Cores that others may use, on average, during an undisturbed block. */
const MOST = 0.08;
const ATTEMPTS = 3;

interface Block extends Usage {
  /** Of the cores, the slower of before and after. */
  readonly exchange: number;
  readonly times: readonly number[];
  /** Steps, the first ones included. */
  readonly all: number;
}

const byValue = (a: number, b: number): number => a - b;
export const median = (values: readonly number[]): number =>
  values.toSorted(byValue)[values.length >> 1] ?? Number.NaN;

/** One timing for each case. A disturbed block is tried again, and kept only for the case that nothing better comes. */
export async function interleave(cases: readonly Case[], rounds: number): Promise<Timing[]> {
  const blocks = cases.map((): Block[] => []);
  const cores = watchCores();
  const sizes: { warm: number; steps: number }[] = [];
  for (const c of cases) {
    await c.block(0, 1); // what is compiled is compiled now
    const ms = median(await c.block(0, 3));
    sizes.push({ warm: ms > 100 ? 2 : WARM, steps: Math.max(2, Math.round(BLOCK_MS / ms)) });
  }
  for (let round = 0; round < rounds; round++)
    for (const [i, c] of cases.entries())
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const block = await timedBlock(c, sizes[i]!, cores);
        blocks[i]!.push(block);
        if (undisturbed(block, cores)) break;
      }
  await cores.close();
  return blocks.map((of) => summary(of, cores));
}

const undisturbed = ({ others, exchange }: Block, cores: Cores): boolean =>
  others < MOST && cores.shared(exchange);

async function timedBlock(
  { block, pids = [] }: Case,
  { warm, steps }: { readonly warm: number; readonly steps: number },
  cores: Cores,
): Promise<Block> {
  const own = [...new Set([process.pid, ...pids])];
  await quiet(own, MOST, 2);
  const exchange = await cores.together(10);
  const before = snapshot(own);
  const times = await block(warm, steps);
  const usage = usageSince(before, own);
  return { times, all: warm + steps, exchange: Math.max(exchange, cores.exchange()), ...usage };
}

function summary(blocks: readonly Block[], cores: Cores): Timing {
  const calm = blocks.filter((block) => undisturbed(block, cores));
  const enough = calm.length >= 3;
  const disturbance = ({ others, exchange }: Block): number => others + (cores.shared(exchange) ? 0 : 1);
  const least = blocks
    .toSorted((a, b) => disturbance(a) - disturbance(b))
    .slice(0, Math.ceil(blocks.length / 3));
  const used = enough ? calm : least;
  const times = used.flatMap((b) => b.times).toSorted(byValue);
  return {
    median: median(times),
    minimum: times[0]!,
    low: times[times.length >> 2]!,
    high: times[(3 * times.length) >> 2]!,
    steps: times.length,
    processor: median(used.map((b) => b.own / b.all)),
    used: used.length,
    disturbed: blocks.length - calm.length,
    quiet: enough,
  };
}

/** Milliseconds of each of `steps` calls after `warm` others. */
export async function timed(step: () => Promise<unknown>, warm: number, steps: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < warm + steps; i++) {
    const started = performance.now();
    await step();
    times.push(performance.now() - started);
  }
  return times.slice(warm);
}
