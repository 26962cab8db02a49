// `npm test`: installs what the tests need beyond npm packages, checks types and style, and runs every test file.
// Arguments are test files or folders to run instead of all, without the checks.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const asked = process.argv.slice(2);

/** Runs a command with our output; ends with its code when it fails. */
function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (error || status !== 0) process.exit(status || 1);
}

const works = (command, args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;
const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Debian packages that are missing, each with what shows that it is there. */
function missingPackages() {
  const missing = [];
  if (!process.env['CHROME'] && !BROWSERS.some((path) => existsSync(path))) missing.push('chromium');
  if (!process.env['ELBO_PYTHON'] && !works('python3', ['-c', 'import venv, ensurepip']))
    missing.push('python3-venv');
  return missing;
}

function installPackages() {
  const missing = missingPackages();
  if (missing.length === 0) return;
  const may = process.getuid?.() === 0 && works('apt-get', ['--version']);
  if (!may) {
    console.error(
      `npm test also needs, and may not install here: ${missing.join(', ')} (apt-get install ${missing.join(' ')})`,
    );
    return;
  }
  run('apt-get', ['update', '-qq']);
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing]);
}

const testFiles = (path) => {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path).flatMap((name) => {
    const full = join(path, name);
    return statSync(full).isDirectory() ? testFiles(full) : name.endsWith('.test.ts') ? [full] : [];
  });
};

installPackages();
run('sh', ['scripts/setup-python.sh']);
if (asked.length === 0) run('npm', ['run', '--silent', 'check']);
const files = (asked.length > 0 ? asked : ['test']).flatMap(testFiles);
const flags = [
  '--conditions=elbo-source',
  '--import',
  import.meta.resolve('./typescript.mjs'),
  '--test',
  '--test-concurrency=2',
  '--test-reporter=spec',
];
run(process.execPath, [...flags, ...files]);
