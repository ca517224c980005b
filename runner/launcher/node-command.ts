import { statSync } from 'node:fs';
import type { Engine } from '../../shared/engine.ts';
import type { SandboxSettings } from '../sandbox/settings.ts';
import { sandboxFiles } from './room.ts';
import { sandboxCode } from './sandbox-code.ts';

/** What node-gyp-build asks for to tell musl from glibc. */
const ASKED_FOR = '/etc/alpine-release';

/**
 * isolated-vm needs `--no-node-snapshot` (its README, "Requirements"). Node's permission model shuts files,
 * network, child processes and workers to JavaScript that gets out of its isolate and no further; native code
 * does not ask it. The warnings are about type stripping in old versions and about addons under that model, and
 * say nothing to an operator.
 *
 * The rest makes isolates cheaper (measured by `npm run bench`): no helper threads, so that a tenant has one
 * core at most; no check and no rehashing of a snapshot that was made by this very process.
 */
const FLAGS = [
  '--no-node-snapshot',
  '--disable-warning=ExperimentalWarning',
  '--disable-warning=PERM0001',
  '--permission',
  '--allow-addons',
  '--single-threaded',
  '--no-rehash-snapshot',
  '--no-verify-snapshot-checksum',
];

/** Node's options for sandboxes. */
export function sandboxFlags({ v8Flags, grants }: Engine): string[] {
  const readable = [...sandboxFiles().map(pattern), ASKED_FOR];
  // Without Temporal a context is ready 0.1 ms sooner than with one that is deleted.
  const temporal = grants.includes('Temporal') ? [] : ['--no-harmony-temporal'];
  return [...FLAGS, ...v8Flags, ...temporal, ...readable.map((path) => `--allow-fs-read=${path}`)];
}

/** What follows the options: the sandbox itself. */
export function sandboxEntry(settings: SandboxSettings): string[] {
  return [sandboxCode().entry, JSON.stringify(settings)];
}

function pattern(path: string): string {
  return statSync(path).isDirectory() ? `${path}/*` : path;
}
