/** Small model folders for the tests, and a folder of their own for each. */
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type ModelFile, sha256 } from '../../src/model/model-file.ts';
import { writeSafetensors } from '../../src/model/safetensors.ts';

export function temporary(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'elbo-model-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

export const checkpoint = (step: number): Uint8Array =>
  writeSafetensors({ w: { shape: [1], data: Float32Array.of(step) } }, { step: String(step) });

/** The files of a valid model whose only weight is `value`. */
export function modelFiles(value: number): Record<string, Uint8Array | string> {
  const weights = writeSafetensors({ w: { shape: [1], data: Float32Array.of(value) } });
  const filler = new Uint8Array(200_000).fill(value % 256);
  const file: ModelFile = {
    format: 'elbo-model',
    version: 1,
    elbo: '0.1.0',
    created: '2026-01-02T03:04:05.000Z',
    name: `model ${value}`,
    config: { latent: 2 },
    schema: { version: 1, fields: [] },
    training: { epochs: 1, bestEpoch: 1, steps: value, seconds: 0.5, reason: 'finished', rows: { train: 8 } },
    metrics: { negativeElbo: { value: 101.5, protocol: 'one sample, test rows' } },
    seed: 0,
    parameters: 1,
    files: { 'weights.safetensors': sha256(weights), 'decoder.onnx': sha256(filler) },
  };
  return { 'model.json': JSON.stringify(file), 'weights.safetensors': weights, 'decoder.onnx': filler };
}
