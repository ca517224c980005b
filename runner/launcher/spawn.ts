import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { Duplex, Writable } from 'node:stream';
import type { Launch } from './launcher.ts';
import { FILTER_FD } from './walls.ts';

/** What is to be run, and where. */
export interface SandboxCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** See `Walls`. */
  readonly filter: Uint8Array | undefined;
}

/**
 * Starts what a launcher says: no environment, and no descriptor but standard error and the pipe (3).
 *
 * @throws Error when the system has no memory or descriptor left for it; a command that is missing is told by 'error'
 */
export function spawnCommand({ command, args, cwd, filter }: SandboxCommand): ChildProcess {
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

/** The same, for a sandbox that writes into its pipe unasked, so that its spawner might take what it writes. */
export function spawnSandbox(launch: Launch): ChildProcess {
  try {
    const child = spawnCommand(launch);
    child.once('exit', launch.release);
    child.once('error', launch.release);
    return child;
  } catch (error) {
    launch.release();
    throw error;
  }
}

/** A command that ends before it has read the filter says why by its end. */
function sendFilter(pipe: Writable, filter: Uint8Array): void {
  pipe.on('error', () => undefined);
  pipe.end(filter);
  // What is not read keeps a socket from closing.
  (pipe as Duplex).resume();
}

/**
 * The process that a sandbox is, the last one, and before it the launchers that wait for it where there are any: the
 * process that was started, and its line (proc_pid_children(5), Linux). Not all of them before it is ready, and after
 * its end its number may be another's.
 */
export function sandboxLine(pid: number | undefined, { forks }: Pick<Launch, 'forks'>): readonly number[] {
  const line: number[] = [];
  for (let next = pid; next; next = forks ? onlyChild(next) : undefined) line.push(next);
  return line;
}

function onlyChild(pid: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ', 1)[0]) || undefined;
  } catch {
    return undefined;
  }
}

const SIGNALS = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

/** The signal that ended a sandbox; a launcher that stays tells it as a shell does, 128 and its number. */
export function endingSignal(
  code: number | null,
  signal: NodeJS.Signals | null,
  { forks }: Launch,
): NodeJS.Signals | null {
  if (signal !== null || !forks || code === null) return signal;
  return (SIGNALS.get(code - 128) as NodeJS.Signals | undefined) ?? null;
}
