/**
 * Does any known model give NaN? npm run ts -- bench/presets.ts [runs] [steps] [preset …]. Each is trained so often for a few steps, by a
 * seed, learning rate, batch size and data drawn anew, and every figure of every step has to be finite.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Preset, type PresetName, presetNames, presets } from '../src/config/index.ts';
import { formatNpy } from '../src/data/index.ts';
import { type Stream, stream, variates } from '../src/random/index.ts';
import { train } from '../src/tasks/index.ts';

const [runs = 20, steps = 20] = process.argv.slice(2, 4).map(Number);
const asked = process.argv.slice(4);
const folder = mkdtempSync(join(tmpdir(), 'elbo-presets-'));

const pick = <T>(from: readonly T[], u: number): T => from[Math.floor(u * from.length)]!;

/** Counts, numbers with outliers and gaps, classes; or pictures of rectangles. */
function makeData(name: string, pictures: boolean, random: Stream): string {
  const { uniform, normal, poisson } = variates(random);
  const path = join(folder, `${name}${pictures ? '.npy' : '.csv'}`);
  if (pictures) {
    const side = pick([8, 13, 28], uniform());
    const data = new Uint8Array(120 * side * side);
    for (let i = 0; i < 120; i++) {
      const [top, left, level] = [uniform() * side, uniform() * side, 255 * uniform()];
      for (let p = 0; p < side * side; p++)
        if (Math.floor(p / side) >= top && p % side >= left) data[i * side * side + p] = level;
    }
    writeFileSync(path, formatNpy({ shape: [120, side, side, 1], data }));
    return path;
  }
  const scale = 10 ** (6 * uniform() - 3);
  const rows = Array.from({ length: 200 }, () => {
    const visits = poisson(20 * uniform());
    const spent = (visits + normal()) * scale * (uniform() < 0.02 ? 1000 : 1);
    return [visits, uniform() < 0.1 ? '' : spent.toPrecision(5), visits > 8 ? 'often' : 'seldom'].join(',');
  });
  writeFileSync(path, ['visits,spent,kind', ...rows, ''].join('\n'));
  return path;
}

/** The first figure that is not finite, in words; undefined where all are. */
async function firstBad(name: PresetName, run: number): Promise<string | undefined> {
  const preset: Preset = presets[name];
  const random = stream(run, `preset ${name}`);
  const { uniform } = variates(random);
  const data = makeData(
    `${name}-${run}`,
    preset.only === 'pictures' || (!needsColumns(preset) && uniform() < 0.3),
    random,
  );
  const signal = { aborted: false };
  const events = train({
    data,
    preset: name,
    out: join(folder, `${name}-${run}.model`),
    seed: run,
    threads: 1,
    learningRate: 10 ** (2 * uniform() - 4),
    batchSize: pick([4, 16, 64], uniform()),
    epochs: 1000,
    patience: 1000,
    ...optionsOf(preset),
    signal,
  });
  for await (const event of events) {
    if (event.type === 'notice' && /diverged|NaN|not finite/.test(event.message)) return event.message;
    if (event.type !== 'step') continue;
    const { step, loss, logPx, kl, gradientNorm, terms } = event;
    for (const [term, value] of Object.entries({ loss, logPx, kl, gradientNorm, ...terms }))
      if (!Number.isFinite(value)) return `${term} is ${value} in step ${step}`;
    signal.aborted = step >= steps;
  }
  return undefined;
}

const isConditional = ({ choices }: Preset): boolean => choices.prior?.kind === 'conditional';
/** Conditions, labels and counts are columns of the rows. */
const needsColumns = (preset: Preset): boolean =>
  preset.only !== undefined ||
  isConditional(preset) ||
  preset.choices.likelihood?.kind === 'zeroInflatedNegativeBinomial';

/** What a preset needs to be told of the columns. */
const optionsOf = (preset: Preset): object => ({
  ...(isConditional(preset) && { condition: ['kind'] }),
  ...(preset.only === 'label' && { predict: 'kind' }),
});

let bad = 0;
for (const name of presetNames) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const found: string[] = [];
  for (let run = 0; run < runs; run++) {
    const why = await firstBad(name, run).catch((error: Error) => `refused: ${error.message}`);
    if (why) found.push(`run ${run}: ${why}`);
  }
  bad += found.length;
  console.log(
    `${name}: ${runs - found.length} of ${runs} runs finite${found.map((why) => `\n  ${why}`).join('')}`,
  );
}
rmSync(folder, { recursive: true, force: true });
process.exit(bad === 0 ? 0 : 1);
