#!/usr/bin/env node
/** The `elbo` command. */
import { runCommandLine } from './app.ts';
import { EXIT } from './errors.ts';

// A reader that has seen enough, such as head, closes the pipe: that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  process.stderr.write(`elbo: the output cannot be written: ${error.message}\n`);
  process.exit(EXIT.user);
});
process.stderr.on('error', () => {}); // nobody reads remarks: the work goes on
process.exitCode = await runCommandLine(process.argv.slice(2), process);
