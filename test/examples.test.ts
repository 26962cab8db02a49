/** The examples are complete programs: each runs to its end. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';

const flags = ['--conditions=elbo-source', '--import', 'tsx'];

for (const name of readdirSync('examples').filter((file) => file.endsWith('.ts'))) {
  test(`examples/${name}`, () => {
    execFileSync(process.execPath, [...flags, `examples/${name}`], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  });
}
