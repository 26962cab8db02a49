/** The safetensors format (Hugging Face, 2022): u64 header length, JSON header, little-endian float32 data. */
import { UserError } from '../errors.ts';

export interface SafeTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}
export type Tensors = Readonly<Record<string, SafeTensor>>;
export interface Safetensors {
  readonly tensors: Tensors;
  readonly metadata: Readonly<Record<string, string>>;
}

interface Entry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

const METADATA = '__metadata__';
const MAX_HEADER = 100_000_000;
const elements = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

/** One file image: tensors as float32 in the order given, header padded with blanks to 8 bytes. */
export function writeSafetensors(tensors: Tensors, metadata?: Readonly<Record<string, string>>): Uint8Array {
  const { text, size } = headerOf(tensors, metadata);
  const header = new TextEncoder().encode(text);
  const start = 8 + Math.ceil(header.length / 8) * 8;
  const bytes = new Uint8Array(start + size).fill(0x20, 8 + header.length, start);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true);
  bytes.set(header, 8);
  let at = start;
  for (const { data } of Object.values(tensors)) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

function headerOf(tensors: Tensors, metadata?: Readonly<Record<string, string>>) {
  const entries: [string, unknown][] = metadata ? [[METADATA, metadata]] : [];
  let size = 0;
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    if (elements(shape) !== data.length)
      throw new Error(`tensor ${name}: shape [${shape}] does not hold ${data.length} values`);
    entries.push([name, { dtype: 'F32', shape, data_offsets: [size, (size += data.byteLength)] }]);
  }
  return { text: JSON.stringify(Object.fromEntries(entries)), size };
}

/** Tensors by name: views of `bytes` where aligned, else copies. `name` is what errors call the file. */
export function readSafetensors(bytes: Uint8Array, name = 'safetensors data'): Safetensors {
  const fail = (defect: string) => new UserError(`${name}: ${defect}`);
  const { header, start } = readHeader(bytes, fail);
  const metadata = readMetadata(header[METADATA], fail);
  const entries = Object.entries(header)
    .filter(([key]) => key !== METADATA)
    .map(([key, value]) => readEntry(key, value, fail));
  checkLayout(entries, bytes.length - start, fail);
  const tensors = entries.map((e) => [e.name, { shape: e.shape, data: view(bytes, start, e) }] as const);
  return { tensors: Object.fromEntries(tensors), metadata };
}

type Fail = (defect: string) => UserError;

function readHeader(bytes: Uint8Array, fail: Fail): { header: Record<string, unknown>; start: number } {
  if (bytes.length < 8) throw fail(`truncated: ${bytes.length} bytes, the header length alone takes 8`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > MAX_HEADER)
    throw fail(`the header claims ${length} bytes, more than ${MAX_HEADER} are refused`);
  const start = 8 + length;
  if (start > bytes.length)
    throw fail(`truncated: the header claims ${length} bytes, the file has ${bytes.length}`);
  const text = decode(bytes.subarray(8, start), fail);
  const header = parse(text, fail);
  const twice = repeated(topLevelKeys(text));
  if (twice !== undefined) throw fail(`two entries are called ${twice}`);
  return { header, start };
}

function decode(bytes: Uint8Array, fail: Fail): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw fail('the header is not UTF-8 text');
  }
}

function parse(text: string, fail: Fail): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch {
    throw fail('the header is not JSON');
  }
  throw fail('the header is not a JSON object');
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Keys of the outermost object of valid JSON, repeated ones included (`JSON.parse` would keep the last). */
function topLevelKeys(json: string): string[] {
  const keys: string[] = [];
  let depth = 0;
  let before = ''; // the last mark outside a string: after { or , a string is a key
  for (let i = 0; i < json.length; i++) {
    const c = json[i]!;
    if (c === '"') {
      const end = closingQuote(json, i);
      if (depth === 1 && before !== ':') keys.push(String(JSON.parse(json.slice(i, end + 1))));
      i = end;
    } else if ('{[,:'.includes(c)) before = c;
    if (c === '{' || c === '[') depth++;
    else if (c === '}' || c === ']') depth--;
  }
  return keys;
}

function closingQuote(json: string, open: number): number {
  let i = open + 1;
  while (json[i] !== '"') i += json[i] === '\\' ? 2 : 1;
  return i;
}

function repeated(keys: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return keys.find((key) => seen.size === seen.add(key).size);
}

function readMetadata(raw: unknown, fail: Fail): Record<string, string> {
  if (raw === undefined) return {};
  if (!isRecord(raw)) throw fail(`${METADATA} is not an object`);
  for (const [key, value] of Object.entries(raw)) {
    checkName(key, fail);
    if (typeof value !== 'string') throw fail(`${METADATA}.${key} is not a text`);
  }
  return raw as Record<string, string>;
}

function checkName(name: string, fail: Fail): void {
  if (name === '__proto__') throw fail('the name __proto__ is refused');
}

const isCount = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;

function readEntry(name: string, raw: unknown, fail: Fail): Entry {
  checkName(name, fail);
  const bad = (defect: string) => fail(`tensor ${JSON.stringify(name)}: ${defect}`);
  if (!isRecord(raw)) throw bad('its entry is not an object');
  const { dtype, shape, data_offsets: offsets } = raw;
  if (dtype !== 'F32') throw bad(`dtype is ${JSON.stringify(dtype)}, only F32 is read`);
  if (!Array.isArray(shape) || !shape.every(isCount))
    throw bad(`shape ${JSON.stringify(shape)} is not valid`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
    throw bad(`data_offsets ${JSON.stringify(offsets)} are not two whole numbers`);
  const [start, end] = offsets as [number, number];
  // Not `elements`: zeros must not hide a product beyond what a double counts exactly.
  if (!Number.isSafeInteger(shape.reduce((n, d) => n * Math.max(1, d), 4))) throw bad('shape overflows');
  if (end - start !== 4 * elements(shape))
    throw bad(`shape [${shape}] takes ${4 * elements(shape)} bytes, data_offsets span ${end - start}`);
  return { name, shape, start, end };
}

/** The tensors must tile the data exactly: no gap, no overlap, nothing before or behind. */
function checkLayout(entries: readonly Entry[], size: number, fail: Fail): void {
  let at = 0;
  for (const { name, start, end } of entries.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    const bad = (defect: string) => fail(`tensor ${JSON.stringify(name)}: ${defect}`);
    if (start < at) throw bad('its data overlap those of another tensor');
    if (start > at) throw bad(`${start - at} bytes before its data belong to no tensor`);
    if (end > size) throw bad(`truncated: its data end at byte ${end}, the file has ${size} bytes of data`);
    at = end;
  }
  if (at !== size) throw fail(`${size - at} bytes at the end belong to no tensor`);
}

function view(bytes: Uint8Array, base: number, { start, end }: Entry): Float32Array {
  const offset = bytes.byteOffset + base + start;
  if (offset % 4 === 0) return new Float32Array(bytes.buffer, offset, (end - start) / 4);
  return new Float32Array(bytes.slice(base + start, base + end).buffer);
}
