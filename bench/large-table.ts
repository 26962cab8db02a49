/** Does a table larger than memory train in bounded memory? Makes a Parquet file of `size` GB, trains one epoch, watches. */
import { rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { watchedTraining } from './watched.ts';

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

await generate();
console.log(`${ROWS} rows of ${COLUMNS} numbers, ${(statSync(file).size / 1e9).toFixed(2)} GB`);
const flags = ['--epochs', '1', '--batch-size', '1024', '--out', out, '--overwrite'];
const { seconds, megabytes, code } = await watchedTraining(file, flags);
console.log(`exit ${code}, ${seconds.toFixed(0)} s, peak resident memory ${megabytes.toFixed(0)} MB`);
rmSync(file);
rmSync(out, { recursive: true, force: true });
process.exitCode = code === 0 && megabytes < 1500 ? 0 : 1;
