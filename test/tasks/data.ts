/** Small data files of each kind, and models trained on them within a second or two. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { type SavedEvent, type TrainEvent, type TrainOptions, train } from '../../src/tasks/index.ts';
import { mixedCsv } from '../data/files.ts';

/** Small models: two epochs of two threads' time. */
export const quick = { epochs: 2, latent: 2, threads: 1, seed: 3 } as const;

/** Rows with every type and holes, an identifier and a text column. */
export function tableFile(folder: string, rows = 400): string {
  const path = join(folder, 'table.csv');
  writeFileSync(path, mixedCsv(rows));
  return path;
}

const pixel = (picture: number, place: number): number => (picture * 37 + place * (7 + (picture % 5))) % 256;

/** A folder of 12 × 10 colour pictures. */
export async function pictureFolder(folder: string, count = 30): Promise<string> {
  const path = join(folder, 'pictures');
  mkdirSync(path);
  for (let i = 0; i < count; i++) {
    const data = Uint8Array.from({ length: 360 }, (_, j) => pixel(i, j));
    const png = sharp(data, { raw: { width: 12, height: 10, channels: 3 } }).png();
    await png.toFile(join(path, `${String(i).padStart(3, '0')}.png`));
  }
  return path;
}

/** An IDX file of 8 × 8 grey pictures. */
export function idxFile(folder: string, count = 60): string {
  const path = join(folder, 'digits-images-idx3-ubyte');
  const header = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 8, 0, 0, 0, 8);
  const pixels = Uint8Array.from({ length: count * 64 }, (_, j) =>
    pixel(Math.floor(j / 64), j % 64) > 127 ? 255 : 0,
  );
  writeFileSync(path, Buffer.concat([header, pixels]));
  return path;
}

export interface Trained {
  readonly events: readonly TrainEvent[];
  /** Undefined where training was stopped. */
  readonly saved: SavedEvent | undefined;
}

/** Trains to the end, or asks for a stop after the step `stopAt`. */
export async function trained(options: TrainOptions, stopAt = Number.POSITIVE_INFINITY): Promise<Trained> {
  const signal = { aborted: false };
  const events: TrainEvent[] = [];
  for await (const event of train({ ...quick, ...options, signal })) {
    events.push(event);
    if (event.type === 'step' && event.step >= stopAt) signal.aborted = true;
  }
  return { events, saved: events.find((e): e is SavedEvent => e.type === 'saved') };
}
