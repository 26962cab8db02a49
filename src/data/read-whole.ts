/** A file into memory in pieces: Node reads at most 2 GiB at a time. */
import { constants } from 'node:buffer';
import { open } from 'node:fs/promises';
import { UserError } from '../errors.ts';

const GIB = 2 ** 30;

export async function readWhole(path: string, piece = GIB): Promise<Buffer> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size > constants.MAX_LENGTH)
      throw new UserError(
        `${path}: has ${(size / GIB).toFixed(1)} GiB, at most ${Math.floor(constants.MAX_LENGTH / GIB)} GiB can be read. ` +
          'Give it in parts, or as a table (.parquet), which is read bit by bit',
      );
    const bytes = allocate(size, path);
    let at = 0;
    while (at < size) {
      const { bytesRead } = await file.read(bytes, at, Math.min(piece, size - at), at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return bytes.subarray(0, at);
  } finally {
    await file.close();
  }
}

function allocate(size: number, path: string): Buffer {
  try {
    return Buffer.allocUnsafeSlow(size);
  } catch {
    throw new UserError(`${path}: there is no memory for its ${(size / GIB).toFixed(1)} GiB`);
  }
}
