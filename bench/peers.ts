/** The peers: each a process that answers JSON lines (peers/protocol.py), started by its own interpreter. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Where peers/setup.sh puts what the peers need. */
export const HOME = process.env['ELBO_PEERS'] ?? join(homedir(), '.cache', 'elbo-peers');
export const python = process.env['ELBO_PEER_PYTHON'] ?? join(HOME, 'venv', 'bin', 'python');

interface Kind {
  readonly command: string;
  readonly script: string;
  /** Told on opening. */
  readonly options?: object;
  /** How the number of threads is set. */
  readonly env?: (threads: number) => Record<string, string>;
  /** Numbers of threads to try. */
  readonly threads: readonly number[];
}

const openMp = (threads: number) => ({ OMP_NUM_THREADS: String(threads), MKL_NUM_THREADS: String(threads) });
const torch = { command: python, script: 'torch_peer.py', env: openMp, threads: [1, 2] };

export const peerKinds = {
  'PyTorch eager': { ...torch, options: { mode: 'eager' } },
  'PyTorch eager, channels last': { ...torch, options: { mode: 'eager', channelsLast: true } },
  'PyTorch compile': { ...torch, options: { mode: 'compile' } },
  /** Takes all cores, whatever it is told. */
  'JAX jit': { command: python, script: 'jax_peer.py', threads: [2] },
  /** Has no threads in Node. */
  'TensorFlow.js wasm': { command: process.execPath, script: 'tfjs_peer.mjs', threads: [1] },
  'jax-js wasm': { command: process.execPath, script: 'jaxjs_peer.mjs', threads: [1, 2] },
} as const satisfies Record<string, Kind>;

export type PeerName = keyof typeof peerKinds;
export const peerNames = Object.keys(peerKinds) as PeerName[];

export interface Peer {
  readonly name: PeerName;
  readonly threads: number;
  readonly pid: number;
  /** Throws with the peer's own message. */
  ask<Answer>(command: object): Promise<Answer>;
  close(): void;
}

/** Why a command cannot run, where it is not installed. */
export const absence = (command: string): string | undefined =>
  existsSync(command) ? undefined : `${command} is not there: run bench/peers/setup.sh`;

/** A word on why where the peer is not installed. */
export async function startPeer(name: PeerName, threads: number): Promise<Peer | string> {
  const { command, script, options, env }: Kind = peerKinds[name];
  const absent = absence(command);
  if (absent !== undefined) return absent;
  const path = fileURLToPath(new URL(`peers/${script}`, import.meta.url));
  const child: ChildProcess = spawn(command, [path], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, ...env?.(threads), ELBO_PEERS_JS: join(HOME, 'js') },
  });
  child.on('error', () => {}); // seen by `ask`, as an end of the answers
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const ask = async <Answer>(asked: object): Promise<Answer> => {
    child.stdin!.write(`${JSON.stringify(asked)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`${name} ended without an answer`);
    const answer = JSON.parse(value) as Answer & { error?: string };
    if (answer.error) throw new Error(answer.error);
    return answer;
  };
  const peer = { name, threads, pid: child.pid!, ask, close: () => void child.kill() };
  try {
    await ask({ do: 'open', threads, ...options });
    return peer;
  } catch (error) {
    peer.close(); // what cannot open may still wait for words, and would keep this process waiting too
    return error instanceof Error ? error.message : String(error);
  }
}
