/** Who is timed in the browser, each in a page of its own. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type OpenBrowser, ORT_PATH, openBrowser } from '../../test/runtime/browser.ts';
import type { Case } from '../interleave.ts';
import { HOME } from '../peers.ts';
import { KNOBS, ready, SEED, type Setting } from '../setting.ts';
import { DATA_PATH, TFJS_PATH } from './page.ts';

interface Kind {
  /** The page's entry file. */
  readonly page: string;
  /** Told on opening, beside the number of threads. */
  readonly options?: object;
  readonly threads: readonly number[];
  /** What has to be installed, and its version is kept. */
  readonly package: string;
}

const ours = { page: 'ours.ts', package: 'onnxruntime-web' };
const told = { wasmPaths: ORT_PATH, seed: SEED, knobs: KNOBS };

const kinds: Readonly<Record<string, Kind>> = {
  'ours, wasm': { ...ours, options: { ...told, provider: 'wasm' }, threads: [1, 2] },
  'ours, WebGPU': { ...ours, options: { ...told, provider: 'webgpu' }, threads: [1] },
  'TensorFlow.js wasm': { page: 'tfjs.mjs', package: '@tensorflow/tfjs', threads: [1, 2] },
  'jax-js wasm': { page: 'jaxjs.mjs', package: '@jax-js/jax', threads: [1, 2] },
};

/** Linux asks for the flag where WebGPU is new. */
const FLAGS = ['--enable-unsafe-webgpu'];
const PACKAGES = join(HOME, 'js', 'node_modules');
const OURS = fileURLToPath(new URL('../../node_modules', import.meta.url));

export interface Side extends Case {
  readonly side: string;
  readonly threads: number;
}

export interface Sides {
  readonly sides: readonly Side[];
  /** Sides that are not there, or cannot do this, with the reason. */
  readonly absent: Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly processes: readonly number[];
  readonly close: () => Promise<void>;
}

/** A browser with a page for each side, all of which have shown that they compute the same. */
export async function openSides(setting: Setting): Promise<Sides> {
  const browser = await openBrowser({
    flags: FLAGS,
    folders: {
      [DATA_PATH]: setting.folder,
      [TFJS_PATH]: join(PACKAGES, '@tensorflow/tfjs-backend-wasm/dist'),
    },
    packages: [PACKAGES],
  });
  const sides: Side[] = [];
  const absent: Record<string, string> = {};
  const versions: Record<string, string> = { browser: browser.version };
  for (const [side, kind] of Object.entries(kinds)) {
    const version = versionOf(kind.package);
    if (version === undefined) absent[side] = `${kind.package} is not there: run bench/peers/setup.sh`;
    else versions[kind.package] = version;
    for (const threads of version === undefined ? [] : kind.threads)
      await openSide(browser, kind, threads, setting).then(
        (opened) => sides.push({ side, threads, ...opened }),
        (error: Error) => {
          absent[side] = error.message;
        },
      );
  }
  return { sides, absent, versions, processes: await browser.processes(), close: browser.close };
}

function versionOf(name: string): string | undefined {
  const file = [OURS, PACKAGES].map((folder) => join(folder, name, 'package.json')).find(existsSync);
  return file && (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

async function openSide(
  browser: OpenBrowser,
  { page, options }: Kind,
  threads: number,
  setting: Setting,
): Promise<Case> {
  const call = await browser.open(fileURLToPath(new URL(page, import.meta.url)));
  const ask = async <Answer>(command: object) => {
    const answer = (await call(command)) as Answer & { error?: string };
    if (answer.error) throw new Error(answer.error);
    return answer;
  };
  await ask({ do: 'open', threads, ...options });
  await ready({ ask }, setting);
  return { block: async (warm, steps) => (await ask<{ ms: number[] }>({ do: 'block', warm, steps })).ms };
}
