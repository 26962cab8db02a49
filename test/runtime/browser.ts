/** Runs a function of ours in the Chromium of this machine, with ONNX Runtime's files at hand and nothing else of the network. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type Browser, chromium } from 'playwright-core';

const CANDIDATES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const PATIENCE = 120_000; // ms

/** Where pages find the ort-wasm-* files: the `wasmPaths` of `webRuntime`. */
export const ORT_PATH = '/ort/';

/**
 * Bundles `entryFile`, whose default export takes `input` and gives a promise of the result, and calls it in a cross-origin
 * isolated page (so WebAssembly has threads). Input and result pass as JSON.
 */
export async function runInBrowser(entryFile: string, input: unknown): Promise<unknown> {
  const executablePath = findBrowser();
  const server = await serve(await bundle(entryFile));
  let browser: Browser | undefined;
  try {
    browser = await chromium.launch({ executablePath, headless: true, args: FLAGS });
    return await callPage(browser, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, input);
  } finally {
    await browser?.close();
    server.closeAllConnections();
    server.close();
  }
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

async function bundle(entryFile: string): Promise<string> {
  const contents = `import main from ${JSON.stringify(entryFile)}; globalThis.main = main;`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: dirname(entryFile) },
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

async function serve(script: string): Promise<Server> {
  const ort = dirname(fileURLToPath(import.meta.resolve('onnxruntime-web/wasm')));
  const page = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/main.js"></script>';
  const content = async (path: string): Promise<string | Buffer> => {
    if (path === '/') return page;
    if (path === '/main.js') return script;
    return readFile(join(ort, basename(path)));
  };
  const server = createServer(async ({ url = '/' }, response) => {
    const path = url.replace(/\?.*/, '');
    const body = await content(path).catch(() => undefined);
    const type = TYPES[path === '/' ? 'html' : path.slice(path.lastIndexOf('.') + 1)] ?? 'text/plain';
    response.writeHead(body === undefined ? 404 : 200, {
      'Content-Type': type,
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    });
    response.end(body);
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return server;
}

async function callPage(browser: Browser, url: string, input: unknown): Promise<unknown> {
  const page = await browser.newPage();
  const said: string[] = [];
  page.on('pageerror', (error) => said.push(String(error)));
  page.on('console', (message) => said.push(`${message.type()}: ${message.text()}`));
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no result within ${PATIENCE / 1000} s`)), PATIENCE);
  });
  try {
    await page.goto(url);
    const call = (given: unknown) => (globalThis as unknown as { main(x: unknown): unknown }).main(given);
    return await Promise.race([page.evaluate(call, input), late]);
  } catch (cause) {
    throw new Error([`the page failed: ${(cause as Error).message}`, ...said].join('\n  '), { cause });
  } finally {
    clearTimeout(timer);
  }
}
