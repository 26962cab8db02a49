/** Who else used the processors? Blocks of measurements during which others did are thrown away. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const TICK = 10; // ms, the unit of /proc

interface Snapshot {
  /** Milliseconds of all processors: busy, or taken by other machines of the same host. */
  readonly busy: number;
  readonly own: number;
  readonly at: number;
}

export interface Usage {
  /** Cores that others used, on average. */
  readonly others: number;
  /** Processor time that the given processes used, milliseconds. */
  readonly own: number;
}

/** User and system time of a process, its threads included. */
function timeOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK;
}

export function snapshot(pids: readonly number[]): Snapshot {
  const line = readFileSync('/proc/stat', 'utf8').split('\n')[0]!;
  const [user, nice, system, , , irq, softirq, steal] = line.trim().split(/\s+/).slice(1).map(Number);
  const busy = [user, nice, system, irq, softirq, steal].reduce<number>((sum, t) => sum + (t ?? 0), 0) * TICK;
  return { busy, own: pids.reduce((sum, pid) => sum + timeOf(pid), 0), at: performance.now() };
}

export function usageSince(before: Snapshot, pids: readonly number[]): Usage {
  const now = snapshot(pids);
  const own = now.own - before.own;
  return { own, others: Math.max(0, now.busy - before.busy - own) / Math.max(1, now.at - before.at) };
}

/** Waits until others use less than `most` of a core, or `seconds` have passed. */
export async function quiet(pids: readonly number[], most: number, seconds: number): Promise<void> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const before = snapshot(pids);
    await sleep(150);
    if (usageSince(before, pids).others < most || performance.now() > end) return;
  }
}
