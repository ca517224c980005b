import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** How a sandbox process is started: the command for one whose isolates have this much heap (MiB). */
export type SandboxLauncher = (scriptMemoryMb: number) => { command: string; args: string[] };

const ENTRY = fileURLToPath(new URL('./sandbox/main.ts', import.meta.url));

/**
 * isolated-vm needs `--no-node-snapshot` (its README, "Requirements"). The warning is about type stripping in
 * old versions and says nothing to an operator.
 *
 * The rest makes isolates cheaper (measured by `npm run bench`): no helper threads, so that a tenant has one
 * core at most; no check and no rehashing of a snapshot that was made by this very process.
 */
const NODE_FLAGS = [
  '--no-node-snapshot',
  '--disable-warning=ExperimentalWarning',
  '--single-threaded',
  '--no-rehash-snapshot',
  '--no-verify-snapshot-checksum',
];

/**
 * Finds out once what this machine offers. With `setpriv` (util-linux) the kernel kills a sandbox whose runner
 * has died, even in the middle of a loop that nothing inside the sandbox could end, and the sandbox can gain no
 * privileges. Without it a sandbox ends when it next looks at its pipe.
 */
export function detectLauncher(): SandboxLauncher {
  const setpriv = ['--pdeathsig', 'KILL', '--no-new-privs'];
  const available = spawnSync('setpriv', [...setpriv, 'true'], { stdio: 'ignore' }).status === 0;
  return (scriptMemoryMb) => {
    const node = [...NODE_FLAGS, ENTRY, String(scriptMemoryMb)];
    return available
      ? { command: 'setpriv', args: [...setpriv, process.execPath, ...node] }
      : { command: process.execPath, args: node };
  };
}
