/**
 * What binds when a table of 100 million rows trains: the disk, decoding, shuffling and encoding, or the model? Stages
 * that each do one thing more than the one before take turns of some seconds, each at its steady state; then one epoch of
 * `elbo train` from the command line. npm run ts -- bench/stream.ts [million rows] [seconds a turn] [--stages]
 */
import { closeSync, constants, openSync, readSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../src/data/duckdb.ts';
import { createCodec, type Dataset, modelFields, openDataset, type Schema } from '../src/data/index.ts';
import { DEFAULT_MISSING } from '../src/data/schema.ts';
import { declareCategories, readable, selectFields } from '../src/data/table-read.ts';
import { openRelation } from '../src/data/table-source.ts';
import { adam } from '../src/optim/index.ts';
import { nodeRuntime } from '../src/runtime/node.ts';
import { trainingSource } from '../src/tasks/source.ts';
import { createLearner, type Learner } from '../src/train/index.ts';
import { median } from './interleave.ts';
import { writeRows } from './made-rows.ts';
import { updateResult } from './results.ts';
import { KNOBS } from './setting.ts';
import { watchedTraining } from './watched.ts';
import { objectiveOf, vaeOf, workloads } from './workloads.ts';

const given = process.argv.slice(2);
const [millions = 100, seconds = 5] = given.filter((word) => /^\d+$/.test(word)).map(Number);
const ROWS = millions * 1e6;
const ROUNDS = 3;
const BATCH = 4096;
const SEED = 1;
const MODEL = {
  ...workloads.table,
  network: { kind: 'mlp' as const, hidden: [64, 64] },
  latent: 4,
  batch: BATCH,
};

/** Numbers of rows as they come, for ever. */
type Flow = AsyncGenerator<number>;

/** The file past the cache of the operating system, where that allows it. */
async function* disk(path: string, rows: number): Flow {
  const size = statSync(path).size;
  const buffer = new Uint8Array(new WebAssembly.Memory({ initial: 64 }).buffer); // 4 MiB that begin at a page
  const open = () => {
    try {
      return openSync(path, constants.O_RDONLY | (constants.O_DIRECT ?? 0));
    } catch {
      return openSync(path, 'r');
    }
  };
  for (;;) {
    const file = open();
    try {
      for (let at = 0; at < size; ) {
        const read = readSync(file, buffer, 0, buffer.length, at);
        at += read;
        yield (read * rows) / size;
      }
    } finally {
      closeSync(file);
    }
  }
}

/** DuckDB's part: values found, cleaned and numbered, chunk by chunk. */
async function* scan(path: string, schema: Schema): Flow {
  const db = await openDatabase();
  try {
    const relation = await openRelation(db, path, 'parquet', { missing: DEFAULT_MISSING });
    const fields = modelFields(schema).map(readable);
    await declareCategories(db, fields);
    for (;;) for await (const chunk of db.chunks(selectFields(relation, fields))) yield chunk[0]!.length;
  } finally {
    db.close();
  }
}

/** … and split, shuffled and gathered into batches. */
async function* shuffled(data: Dataset): Flow {
  for (let epoch = 0; ; epoch++) {
    const order = { split: 'train', batchSize: BATCH, shuffle: { seed: SEED, epoch } } as const;
    for await (const { index } of data.batches(order)) yield index.length;
  }
}

/** … and encoded. */
async function* encoded(data: Dataset): Flow {
  const codec = createCodec(data.schema);
  const buffers = {
    x: new Float32Array(BATCH * codec.shape[0]!),
    mask: new Float32Array(0),
    condition: new Float32Array(0),
  };
  const source = trainingSource(data, codec, { batchSize: BATCH, seed: SEED });
  let step = 0;
  for (let epoch = 0; ; epoch++)
    for await (const { count, fill } of source.batches(epoch, 0)) {
      fill(buffers, ++step);
      yield count;
    }
}

/** … and trained on. */
async function* trained(data: Dataset, learner: Learner): Flow {
  const { threads } = nodeRuntime(); // what a user gets
  const source = trainingSource(data, createCodec(data.schema), { batchSize: BATCH, seed: SEED, threads });
  let step = 0;
  try {
    for (let epoch = 0; ; epoch++)
      for await (const batch of source.batches(epoch, 0)) {
        await learner.step(++step, batch, KNOBS);
        yield batch.count;
      }
  } finally {
    await source.close();
  }
}

const openLearner = (data: Dataset): Promise<Learner> =>
  createLearner({
    vae: vaeOf(MODEL, createCodec(data.schema)),
    objective: objectiveOf(MODEL),
    optimizer: adam(),
    runtime: nodeRuntime(),
    batchSize: BATCH,
    seed: SEED,
  });

interface Turn {
  readonly rowsPerSecond: number;
  /** Processor time of all threads, microseconds a row: less sensitive to others than the clock. */
  readonly processor: number;
}

/** About so many seconds of a flow. */
async function turn(flow: Flow): Promise<Turn> {
  const started = performance.now();
  const before = process.cpuUsage();
  let rows = 0;
  do rows += (await flow.next()).value as number;
  while (performance.now() - started < seconds * 1e3);
  const { user, system } = process.cpuUsage(before);
  return {
    rowsPerSecond: rows / ((performance.now() - started) / 1e3),
    processor: (user + system) / rows,
  };
}

const STAGES = ['disk', 'scan', 'shuffled', 'encoded', 'trained'] as const;
type Stages<T> = Record<(typeof STAGES)[number], T>;

/** The median turn of each stage. */
async function turns(path: string): Promise<Stages<Turn>> {
  const inferred = await openDataset(path);
  const { schema } = inferred;
  const tables = [
    inferred,
    await openDataset(path, { schema }),
    await openDataset(path, { schema }),
  ] as const;
  const learner = await openLearner(inferred);
  const flows: Stages<Flow> = {
    disk: disk(path, ROWS),
    scan: scan(path, schema),
    shuffled: shuffled(tables[0]),
    encoded: encoded(tables[1]),
    trained: trained(tables[2], learner),
  };
  const taken = STAGES.map((): Turn[] => []);
  for (const name of STAGES) await flows[name].next(); // what has to be filled is full
  for (let round = 0; round < ROUNDS; round++)
    for (const [i, name] of STAGES.entries()) taken[i]!.push(await turn(flows[name]));
  for (const name of STAGES) await flows[name].return(undefined);
  for (const table of tables) await table.close();
  await learner.dispose();
  const middle = (all: readonly Turn[]): Turn => ({
    rowsPerSecond: median(all.map((each) => each.rowsPerSecond)),
    processor: median(all.map((each) => each.processor)),
  });
  return Object.fromEntries(STAGES.map((name, i) => [name, middle(taken[i]!)])) as Stages<Turn>;
}

/** Microseconds a row that each thing adds. */
function costs({ scan, shuffled, encoded, trained }: Stages<Turn>) {
  const [a, b, c, d] = [scan, shuffled, encoded, trained].map(({ rowsPerSecond }) => 1e6 / rowsPerSecond);
  return { decoding: a!, shuffling: b! - a!, encoding: c! - b!, model: d! - c! };
}

async function stages(path: string): Promise<object> {
  const taken = await turns(path);
  for (const name of STAGES) {
    const { rowsPerSecond, processor } = taken[name];
    const rate = `${(rowsPerSecond / 1e6).toFixed(2).padStart(7)} M rows/s`;
    console.log(`${name.padEnd(9)} ${rate}, ${processor.toFixed(2)} µs of processors a row`);
  }
  const bytesPerRow = statSync(path).size / ROWS;
  const megabytes = ({ rowsPerSecond }: Turn) => (rowsPerSecond * bytesPerRow) / 1e6;
  const each = costs(taken);
  const [most] = Object.entries(each).reduce((a, b) => (b[1] > a[1] ? b : a));
  const binding = taken.disk.rowsPerSecond < 2 * taken.trained.rowsPerSecond ? 'disk' : most;
  const shares = Object.entries(each).map(([name, cost]) => `${name} ${cost.toFixed(2)}`);
  console.log(`µs a row: ${shares.join(' · ')}`);
  const [given, needed] = [megabytes(taken.disk), megabytes(taken.trained)];
  console.log(`the disk gives ${given.toFixed(0)} MB/s, training takes ${needed.toFixed(0)}`);
  console.log(`what binds: ${binding}`);
  return { turns: taken, microsecondsPerRow: each, bytesPerRow, binding };
}

async function epoch(path: string): Promise<object> {
  const out = join(tmpdir(), 'elbo-stream.model');
  const flags = ['--epochs', '1', '--batch-size', String(BATCH), '--out', out, '--overwrite'];
  const { code, seconds, megabytes, events } = await watchedTraining(path, flags);
  rmSync(out, { recursive: true, force: true });
  if (code !== 0) throw new Error(`elbo train ended with ${code}`);
  console.log(`one epoch: ${seconds.toFixed(0)} s in all, peak resident memory ${megabytes.toFixed(0)} MB`);
  return { batch: BATCH, seconds, megabytes, events };
}

const path = join(tmpdir(), `elbo-${millions}M.parquet`);
try {
  await writeRows(path, ROWS);
  console.log(`${millions} M rows of 4 columns, ${(statSync(path).size / 1e9).toFixed(2)} GB`);
  updateResult('stream', { stages: { rows: ROWS, batch: BATCH, ...(await stages(path)) } });
  if (!given.includes('--stages')) updateResult('stream', { epoch: { rows: ROWS, ...(await epoch(path)) } });
} finally {
  rmSync(path, { force: true });
}
