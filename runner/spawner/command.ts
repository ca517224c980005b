import { spawn, type ChildProcess } from 'node:child_process';
import type { Duplex, Writable } from 'node:stream';

/** Where a command reads its seccomp filter from. */
export const FILTER_FD = 4;

/** What is to be run, and where. */
export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** To be read by the command from `FILTER_FD`. */
  readonly filter: Uint8Array | undefined;
}

/**
 * Starts a command: no environment, and no descriptor but standard error and the pipe (3).
 *
 * @throws Error when the system has no memory or descriptor left for it; a command that is missing is told by 'error'
 */
export function spawnCommand({ command, args, cwd, filter }: Command): ChildProcess {
  const stdio = ['ignore', 'ignore', 'pipe', 'pipe', ...(filter ? (['pipe'] as const) : [])] as const;
  const child = spawn(command, args, { env: {}, cwd, stdio: [...stdio] });
  if ((child.stdio as unknown) === undefined) {
    // So it is where pipes could not be made; 'error' says the same again.
    child.on('error', () => undefined);
    throw new Error('a sandbox could not be given its pipes');
  }
  if (filter) sendFilter(child.stdio[FILTER_FD] as Writable, filter);
  return child;
}

/** A command that ends before it has read the filter says why by its end. */
function sendFilter(pipe: Writable, filter: Uint8Array): void {
  pipe.on('error', () => undefined);
  pipe.end(filter);
  // What is not read keeps a socket from closing.
  (pipe as Duplex).resume();
}
