/** Parquet tables of any length whose rows cost little to make: two numbers, an integer, a category. */

import { DuckDBInstance } from '@duckdb/node-api';
import { literal } from '../src/data/duckdb.ts';

const REGIONS = ['north', 'south', 'east', 'west', 'centre', 'abroad'];

/** Uniform in [0, 1), a function of the row number: the same table every time, whatever the threads. */
const uniform = (column: number): string => `(hash(16 * range + ${column}) / 18446744073709551616.0)`;

/** Skewed columns that depend on each other in pairs; about 12 bytes a row on disk. */
const COLUMNS = [
  `round(20 * exp(2 * (${[1, 2, 3].map(uniform).join(' + ')} - 1.5)), 2) AS amount`,
  `floor(90 * ${uniform(2)} * ${uniform(4)})::INTEGER AS age`,
  `[${REGIONS.map(literal)}][1 + floor(6 * ${uniform(3)} * ${uniform(5)})::INTEGER] AS region`,
  `${uniform(1)} * ${uniform(6)} AS score`,
];

export async function writeRows(path: string, rows: number): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', { memory_limit: '2GB' });
  const connection = await instance.connect();
  await connection.run(
    `COPY (SELECT ${COLUMNS.join(', ')} FROM range(${rows})) TO ${literal(path)} (FORMAT parquet)`,
  );
  connection.closeSync();
  instance.closeSync();
}
