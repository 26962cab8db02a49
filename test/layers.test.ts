/** The shape of the source: imports point one way, files and functions stay short, there are no classes. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** Each may import from those before it, and from itself. */
const LAYERS = [
  'errors',
  'choice',
  'graph',
  'random',
  'nn',
  'vae',
  'optim',
  'runtime',
  'data',
  'train',
  'samplers',
  'metrics',
  'model',
  'report',
  'config',
  'tasks',
  'cli',
  'index',
];

/** What may be imported from outside, by the longest path that fits; a last `:` or `/` allows everything after it. */
const OUTSIDE: Readonly<Record<string, readonly string[]>> = {
  'errors.ts': [],
  'choice.ts': ['zod'],
  'graph/': ['@bufbuild/protobuf', '@bufbuild/protobuf/'],
  'random/': [],
  'nn/': [],
  'vae/': ['zod'],
  'optim/': [],
  'train/': [],
  'samplers/': ['zod'],
  'metrics/': [],
  'runtime/': [],
  'runtime/node.ts': ['node:', 'onnxruntime-node'],
  'runtime/web.ts': ['onnxruntime-web/'],
  'config/': ['zod'],
};
const ELSEWHERE_FORBIDDEN = /^onnxruntime-/;

const MOST_FILE_LINES = 400;
const MOST_FUNCTION_LINES = 60;
const GENERATED = /\/proto\/|\.wasm\.ts$|\.d\.ts$/;

interface Source {
  /** Relative to src. */
  readonly path: string;
  readonly text: string;
  readonly file: ts.SourceFile;
}

const source = (path: string, text: string): Source => ({
  path,
  text,
  file: ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true),
});

const layerOf = (path: string): number => LAYERS.indexOf(path.split('/')[0]!.replace(/\.ts$/, ''));

function visit(node: ts.Node, each: (node: ts.Node) => void): void {
  each(node);
  ts.forEachChild(node, (child) => visit(child, each));
}

/** Everything imported: static, re-exported, dynamic, and as a type. */
function importsOf({ file }: Source): string[] {
  const found: string[] = [];
  const add = (node: ts.Node | undefined) => {
    if (node && ts.isStringLiteralLike(node)) found.push(node.text);
  };
  visit(file, (node) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) add(node.moduleSpecifier);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0]);
  });
  return found;
}

function wrongImports(from: Source): string[] {
  const { path } = from;
  return importsOf(from).flatMap((name) => {
    const wrong = name.startsWith('.') ? wrongInside(path, name) : wrongOutside(path, name);
    return wrong ? [`${path} imports ${name}: ${wrong}`] : [];
  });
}

function wrongInside(path: string, name: string): string | undefined {
  const target = join(dirname(path), name);
  const [from, to] = [layerOf(path), layerOf(target)];
  if (from < 0 || to < 0) return `${from < 0 ? path : target} is in no layer`;
  return to > from ? `${LAYERS[from]} comes before ${LAYERS[to]}` : undefined;
}

function wrongOutside(path: string, name: string): string | undefined {
  const rule = Object.keys(OUTSIDE)
    .filter((place) => (place.endsWith('/') ? path.startsWith(place) : path === place))
    .sort((a, b) => b.length - a.length)[0];
  const fits = (allowed: string) => (/[:/]$/.test(allowed) ? name.startsWith(allowed) : name === allowed);
  if (rule === undefined) return ELSEWHERE_FORBIDDEN.test(name) ? 'only src/runtime may' : undefined;
  return OUTSIDE[rule]!.some(fits)
    ? undefined
    : `${rule} may import only ${OUTSIDE[rule]!.join(', ') || 'nothing'}`;
}

const lines = (text: string): number => text.split('\n').length - Number(text.endsWith('\n'));

function longFunctions({ path, file }: Source): string[] {
  const found: string[] = [];
  const line = (at: number) => file.getLineAndCharacterOfPosition(at).line + 1;
  visit(file, (node) => {
    if (!ts.isFunctionLike(node) || !('body' in node) || !node.body) return;
    const [first, last] = [line(node.getStart()), line(node.end)];
    if (last - first + 1 > MOST_FUNCTION_LINES) found.push(`${path}:${first} has ${last - first + 1} lines`);
  });
  return found;
}

/** Classes other than errors. */
function classes({ path, file }: Source): string[] {
  const found: string[] = [];
  visit(file, (node) => {
    if (!ts.isClassLike(node)) return;
    const base = node.heritageClauses?.[0]?.types[0]?.expression.getText() ?? '';
    if (!base.endsWith('Error')) found.push(`${path}: class ${node.name?.text ?? ''}`);
  });
  return found;
}

const SRC = fileURLToPath(new URL('../src/', import.meta.url));
const sources: readonly Source[] = readdirSync(SRC, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => {
    const full = join(entry.parentPath, entry.name);
    return source(relative(SRC, full), readFileSync(full, 'utf8'));
  });
const written = sources.filter(({ path }) => !GENERATED.test(path));

test('imports point one way, and only src/runtime knows ONNX Runtime', () => {
  assert.ok(written.length > 80, `only ${written.length} files were found`);
  assert.deepEqual(sources.filter(({ path }) => !path.endsWith('.d.ts')).flatMap(wrongImports), []);
});

test('no file is over 400 lines, no function over 60', () => {
  const long = written.filter(({ text }) => lines(text) > MOST_FILE_LINES);
  assert.deepEqual(
    long.map(({ path, text }) => `${path} has ${lines(text)} lines`),
    [],
  );
  assert.deepEqual(written.flatMap(longFunctions), []);
});

test('there are no classes but errors', () => {
  assert.deepEqual(written.flatMap(classes), []);
});

test('the checks notice what they are there for', () => {
  const wrong = (path: string, text: string) => wrongImports(source(path, text)).length;
  assert.equal(wrong('graph/a.ts', "import { x } from '../nn/index.ts';"), 1);
  assert.equal(wrong('nn/a.ts', "import { x } from '../graph/index.ts';"), 0);
  assert.equal(wrong('vae/a.ts', "export * from '../train/fit.ts';"), 1);
  assert.equal(wrong('train/a.ts', "const f = () => import('../tasks/train.ts');"), 1);
  assert.equal(wrong('train/a.ts', "type A = import('../model/index.ts').A;"), 1);
  assert.equal(wrong('train/a.ts', "import { readFile } from 'node:fs';"), 1);
  assert.equal(wrong('graph/a.ts', "import { create } from '@bufbuild/protobuf';"), 0);
  assert.equal(wrong('graph/a.ts', "import z from 'zod';"), 1);
  assert.equal(wrong('tasks/a.ts', "import ort from 'onnxruntime-node';"), 1);
  assert.equal(wrong('runtime/node.ts', "import ort from 'onnxruntime-node';"), 0);
  assert.equal(wrong('runtime/web.ts', "import { readFileSync } from 'node:fs';"), 1);
  assert.equal(wrong('runtime/adapt.ts', "import ort from 'onnxruntime-web/wasm';"), 1);
  assert.equal(wrong('nowhere/a.ts', "import { x } from '../graph/index.ts';"), 1);
  const long = `const f = () => {\n${'g();\n'.repeat(59)}};\n`;
  assert.deepEqual(longFunctions(source('a.ts', long)), ['a.ts:1 has 61 lines']);
  assert.deepEqual(classes(source('a.ts', 'class A {} class B extends Error {}')), ['a.ts: class A']);
});
