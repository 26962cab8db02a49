/** Runs functions of ours in the Chromium of this machine, with ONNX Runtime's files at hand and nothing else of the network. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';

const CANDIDATES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const FLAGS = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const PATIENCE = 120_000; // ms

/** Where pages find the ort-wasm-* files: the `wasmPaths` of `webRuntime`. */
export const ORT_PATH = '/ort/';

export interface BrowserOptions {
  /** Flags beside the usual ones. */
  readonly flags?: readonly string[];
  /** Folders whose files pages may read, by URL prefix: `/name/`. */
  readonly folders?: Readonly<Record<string, string>>;
  /** Where packages are looked for that are not among ours. */
  readonly packages?: readonly string[];
}

/** The default export of an entry file, called in its page. */
export type Call = (input: unknown) => Promise<unknown>;

export interface OpenBrowser {
  /** Bundles `entryFile` into a page in a process of its own; its console and errors are told where a call fails. */
  readonly open: (entryFile: string) => Promise<Call>;
  readonly version: string;
  /** The ids of its processes. */
  readonly processes: () => Promise<number[]>;
  readonly close: () => Promise<void>;
}

/**
 * Bundles `entryFile`, whose default export takes `input` and gives a promise of the result, and calls it in a cross-origin
 * isolated page (so WebAssembly has threads). Input and result pass as JSON.
 */
export async function runInBrowser(entryFile: string, input: unknown): Promise<unknown> {
  const browser = await openBrowser({ flags: ['--disable-gpu'] });
  try {
    const call = await browser.open(entryFile);
    return await call(input);
  } finally {
    await browser.close();
  }
}

/** A browser and the server of its pages, which are cross-origin isolated. */
export async function openBrowser({
  flags = [],
  folders = {},
  packages = [],
}: BrowserOptions = {}): Promise<OpenBrowser> {
  const executablePath = findBrowser();
  const scripts: string[] = [];
  const ort = dirname(fileURLToPath(import.meta.resolve('onnxruntime-web/wasm')));
  const server = await serve(scripts, { ...folders, [ORT_PATH]: ort });
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  const started = chromium.launch({ executablePath, headless: true, args: [...FLAGS, ...flags] });
  const browser = await started.catch((error) => {
    stop();
    throw error;
  });
  return {
    version: browser.version(),
    open: async (entryFile) => {
      const number = scripts.push(await bundle(entryFile, packages)) - 1;
      const context = await browser.newContext(); // contexts share no process
      const { port } = server.address() as AddressInfo;
      return openPage(await context.newPage(), `http://127.0.0.1:${port}/${number}.html`);
    },
    processes: () => processesOf(browser),
    close: async () => {
      await browser.close();
      stop();
    },
  };
}

async function processesOf(browser: Browser): Promise<number[]> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  return processInfo.map(({ id }) => id);
}

function findBrowser(): string {
  const given = process.env['CHROME'];
  const found = [...(given ? [given] : []), ...CANDIDATES].find(existsSync);
  if (!found)
    throw new Error(
      `no browser among ${CANDIDATES.join(', ')}: install one (apt install chromium), or set CHROME to its path`,
    );
  return found;
}

async function bundle(entryFile: string, packages: readonly string[]): Promise<string> {
  const contents = `import main from ${JSON.stringify(entryFile)}; globalThis.main = main;`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: dirname(entryFile) },
    nodePaths: [...packages],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'silent',
  });
  return outputFiles[0]!.text;
}

const TYPES: Record<string, string> = {
  html: 'text/html',
  js: 'text/javascript',
  mjs: 'text/javascript',
  wasm: 'application/wasm',
};

/** Page n is /n.html and runs scripts[n], /n.js. */
async function serve(scripts: readonly string[], folders: Readonly<Record<string, string>>): Promise<Server> {
  const content = async (path: string): Promise<string | Buffer | undefined> => {
    const [, number, type] = /^\/(\d+)\.(html|js)$/.exec(path) ?? [];
    if (type === 'js') return scripts[Number(number)];
    if (type === 'html')
      return `<!doctype html><link rel="icon" href="data:,"><script type="module" src="/${number}.js"></script>`;
    const prefix = Object.keys(folders).find((start) => path.startsWith(start));
    return prefix && readFile(join(folders[prefix]!, basename(path)));
  };
  const server = createServer(async ({ url = '/' }, response) => {
    const path = url.replace(/\?.*/, '');
    const body = await content(path).catch(() => undefined);
    response.writeHead(body === undefined ? 404 : 200, {
      'Content-Type': TYPES[path.slice(path.lastIndexOf('.') + 1)] ?? 'text/plain',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    });
    response.end(body);
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return server;
}

async function openPage(page: Page, url: string): Promise<Call> {
  const said: string[] = [];
  page.on('pageerror', (error) => said.push(String(error)));
  page.on('console', (message) => said.push(`${message.type()}: ${message.text()}`));
  const failed = (cause: Error) =>
    new Error([`the page failed: ${cause.message}`, ...said].join('\n  '), { cause });
  await page.goto(url);
  const call = (given: unknown) => (globalThis as unknown as { main(x: unknown): unknown }).main(given);
  return (input) =>
    soon(page.evaluate(call, input)).catch((cause: Error) => {
      throw failed(cause);
    });
}

/** Gives up when the patience is over. */
async function soon<T>(result: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no result within ${PATIENCE / 1000} s`)), PATIENCE);
  });
  try {
    return await Promise.race([result, late]);
  } finally {
    clearTimeout(timer);
  }
}
