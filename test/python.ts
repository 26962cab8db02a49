/** Runs Python, with which files and results are compared: `ELBO_PYTHON`, else the project's own `.venv`. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const interpreter = (): string =>
  process.env.ELBO_PYTHON ?? fileURLToPath(new URL('../.venv/bin/python', import.meta.url));

/** Why tests that need Python are to be skipped, or false. Never with CI=true, where its absence is a failure. */
export function withoutPython(): string | false {
  if (process.env.CI === 'true') return false;
  const { status } = spawnSync(interpreter(), ['-c', 'import numpy, onnx, onnxruntime, safetensors']);
  return status === 0
    ? false
    : 'no Python with the packages of test/requirements.txt: run scripts/setup-python.sh';
}

/** Runs a script given as text; what it prints is returned, and a failure is thrown with its traceback. */
export function runPython(script: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(interpreter(), ['-c', script, ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`Python failed (${status}):\n${stderr}`);
  return stdout;
}
