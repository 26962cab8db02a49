/** Does a table larger than memory train in bounded memory? Makes a Parquet file of `size` GB, trains one epoch, watches. */
import { spawn } from 'node:child_process';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

const GIGABYTES = Number(process.argv[2] ?? 5);
const COLUMNS = 100;
const ROWS = Math.round((GIGABYTES * 1e9) / (8 * COLUMNS)); // random doubles do not compress
const file = join(tmpdir(), 'elbo-large.parquet');
const out = join(tmpdir(), 'elbo-large.model');

async function generate(): Promise<void> {
  const connection = await (await DuckDBInstance.create(':memory:', { memory_limit: '2GB' })).connect();
  const columns = Array.from({ length: COLUMNS }, (_, i) => `random() * ${i + 1} AS x${i}`);
  await connection.run(`COPY (SELECT ${columns} FROM range(${ROWS})) TO '${file}' (FORMAT parquet)`);
}

/** Peak resident memory of a process so far, MB. */
const peak = (pid: number): number =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

async function train(): Promise<{ seconds: number; megabytes: number; code: number | null }> {
  const started = performance.now();
  const args = [
    'dist/cli/main.js',
    'train',
    file,
    '--epochs',
    '1',
    '--batch-size',
    '1024',
    '--out',
    out,
    '--overwrite',
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  let megabytes = 0;
  const timer = setInterval(() => {
    megabytes = Math.max(megabytes, peak(child.pid!));
  }, 200);
  const code = await new Promise<number | null>((done) => child.once('exit', done));
  clearInterval(timer);
  return { seconds: (performance.now() - started) / 1000, megabytes, code };
}

await generate();
console.log(`${ROWS} rows of ${COLUMNS} numbers, ${(statSync(file).size / 1e9).toFixed(2)} GB`);
const { seconds, megabytes, code } = await train();
console.log(`exit ${code}, ${seconds.toFixed(0)} s, peak resident memory ${megabytes.toFixed(0)} MB`);
rmSync(file);
rmSync(out, { recursive: true, force: true });
process.exitCode = code === 0 && megabytes < 1500 ? 0 : 1;
