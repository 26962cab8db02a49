/** PyTorch in a process of its own, one for each number of threads, because OpenBLAS reads its number at the start. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Peer {
  readonly pid: number;
  ask<Answer>(command: object): Promise<Answer>;
  close(): void;
}

const PYTHON = process.env['PYTHON'] ?? '/usr/bin/python3';

export function startTorch(threads: number): Peer {
  const n = String(threads);
  const script = fileURLToPath(new URL('torch_step.py', import.meta.url));
  const child: ChildProcess = spawn(PYTHON, [script], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, OPENBLAS_NUM_THREADS: n, OMP_NUM_THREADS: n },
  });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  return {
    pid: child.pid!,
    ask: async <Answer>(command: object) => {
      child.stdin!.write(`${JSON.stringify(command)}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`${PYTHON} ended: are python3-torch and libopenblas0-pthread installed?`);
      return JSON.parse(value) as Answer;
    },
    close: () => child.kill(),
  };
}
