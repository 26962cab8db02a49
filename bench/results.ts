/** Results are kept beside what they were measured with. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

const versionOf = (name: string): string => {
  const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
};

/** Processors of one name may be years apart: where the system tells, their family too. */
function cpu(): string | undefined {
  const name = cpus()[0]?.model;
  if (process.platform !== 'linux') return name;
  const info = readFileSync('/proc/cpuinfo', 'utf8');
  const [family, model] = ['cpu family', 'model'].map(
    (key) => RegExp(`^${key}\\s*: (\\d+)$`, 'm').exec(info)?.[1],
  );
  return family ? `${name}, family ${family}, model ${model}` : name;
}

const machine = () => ({
  cpu: cpu(),
  cores: availableParallelism(),
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  os: `${process.platform} ${release()} ${arch()}`,
  node: process.version,
  onnxruntime: versionOf('onnxruntime-node'),
});

const fileOf = (name: string): string => fileURLToPath(new URL(`results/${name}.json`, import.meta.url));

/** When and on what something was measured. */
const measured = () => ({ date: new Date().toISOString(), machine: machine() });

function write(name: string, content: object): void {
  writeFileSync(fileOf(name), `${JSON.stringify(content, null, 2)}\n`);
  console.log(`written: bench/results/${name}.json`);
}

/** Writes results/<name>.json. */
export const writeResult = (name: string, result: object): void => write(name, { ...measured(), ...result });

/** Writes what was measured of each model into results/<name>.json; what it holds of other models stays. */
export function updateResult(name: string, models: Readonly<Record<string, object>>): void {
  const file = fileOf(name);
  const earlier = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as object) : {};
  const entries = Object.entries(models).map(([model, result]) => [model, { ...measured(), ...result }]);
  write(name, { ...earlier, ...Object.fromEntries(entries) });
}
