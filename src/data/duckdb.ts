/**
 * The embedded DuckDB: opened with fixed limits and no way to the network, queried with quoted names, read
 * as typed arrays.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';

const SETTINGS = {
  threads: '2',
  memory_limit: '400MB',
  preserve_insertion_order: 'true',
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
};

export type Cell = string | number | boolean | null;

export interface Database {
  /** Small results, as plain objects. Counts must be cast to DOUBLE in the query, or they come as text. */
  query(sql: string): Promise<Record<string, Cell>[]>;
  /**
   * A large result, a few thousand rows at a time: one typed array a column, valid until the next chunk. No
   * NULLs.
   */
  chunks(sql: string): AsyncIterable<readonly ArrayLike<number>[]>;
  connection: DuckDBConnection;
  close(): void;
}

/** 'text', safe to put into a query. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
/** "name", safe to put into a query. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;
/** A path as a literal that is not read as a pattern. */
export const pathLiteral = (path: string): string => literal(path.replace(/[*?[]/g, (c) => `[${c}]`));

/** Loaded only where a table is read or written: it takes a tenth of a second. */
export async function openDatabase(): Promise<Database> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  // Made only if a query outgrows its memory.
  const temp_directory = join(tmpdir(), `elbo-duckdb-${process.pid}`);
  const instance = await DuckDBInstance.create(':memory:', { ...SETTINGS, temp_directory });
  const connection = await instance.connect();
  return {
    connection,
    query: async (sql) => (await (await connection.run(sql)).getRowObjectsJson()) as Record<string, Cell>[],
    chunks: (sql) => readChunks(connection, sql),
    close: () => {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

async function* readChunks(connection: DuckDBConnection, sql: string): AsyncGenerator<ArrayLike<number>[]> {
  const result = await connection.stream(sql);
  for (;;) {
    const chunk = await result.fetchChunk();
    if (!chunk || chunk.rowCount === 0) return;
    yield Array.from({ length: chunk.columnCount }, (_, j) => items(chunk, j));
  }
}

/**
 * The numbers of a column without a copy: the package declares them private, its row readers are a hundred
 * times slower.
 */
const items = (chunk: DuckDBDataChunk, column: number): ArrayLike<number> =>
  (chunk.getColumnVector(column) as unknown as { items: ArrayLike<number> }).items;
