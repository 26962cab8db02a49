// `npm run smoke`: the built command line does its main job on every supported version of Node, whose binaries npm serves.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const VERSIONS = ['20', '22', '24', '26'];
const folder = mkdtempSync(join(tmpdir(), 'elbo-smoke-'));
const cli = resolve('dist/cli/main.js');
const platform = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;

/** A table with numbers, categories and gaps. */
function table() {
  const rows = Array.from(
    { length: 300 },
    (_, i) => `${(i * 37) % 90},${['red', 'green', 'blue'][(i * i) % 3]},${i % 7 ? i / 10 : '?'}`,
  );
  return ['age,colour,height', ...rows, ''].join('\n');
}

try {
  writeFileSync(join(folder, 'rows.csv'), table());
  writeFileSync(join(folder, 'package.json'), '{}');
  for (const version of VERSIONS) {
    execFileSync('npm', ['install', '--silent', '--no-save', '--prefix', folder, `${platform}@${version}`], {
      stdio: 'inherit',
    });
    const node = join(folder, 'node_modules', platform, 'bin', 'node');
    const elbo = (...args) =>
      execFileSync(node, [cli, ...args], {
        cwd: folder,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
    const exact = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
    elbo('train', 'rows.csv', '--out', 'model', '--epochs', '3', '--overwrite');
    const rows = elbo('sample', 'model', '-n', '5').trim().split('\n');
    if (rows.length !== 6 || rows[0] !== 'age,colour,height')
      throw new Error(`${exact}: unexpected sample:\n${rows.join('\n')}`);
    console.log(`${exact}: trained, saved, loaded and sampled`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
