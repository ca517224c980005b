#!/usr/bin/env node
// Plain JavaScript, and old syntax: also a Node that knows no TypeScript has to get through this file.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const NEEDED_MAJOR = 24;

if (Number.parseInt(process.versions.node, 10) >= NEEDED_MAJOR) {
  const { main } = await import('./cli/main.ts');
  await main(process.argv);
} else {
  runWithOwnNode();
}

/** Starts over with the Node that `npm ci` installed (devDependency `node`), in the terminal of this one. */
function runWithOwnNode() {
  const node = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));
  if (!existsSync(node)) {
    process.stderr.write(
      `lc500: needs Node ${NEEDED_MAJOR} or newer, this is ${process.version}, and there is none at ${node}; ` +
        'run npm ci, or install a newer Node\n',
    );
    process.exit(1);
  }
  const args = [fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  const { status, signal, error } = spawnSync(node, args, { stdio: 'inherit' });
  if (error) {
    process.stderr.write(`lc500: cannot run ${node}: ${error.message}\n`);
    process.exit(1);
  }
  // Ended by a signal: end the same way, so that the shell sees it.
  if (signal) process.kill(process.pid, signal);
  else process.exit(status);
}
