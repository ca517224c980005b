import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { spawnCommand } from '../spawner/command.ts';
import type { Launch } from './launcher.ts';

/**
 * Starts what a launcher says, without its spawner: that might read what a sandbox writes into its pipe unasked.
 *
 * @throws Error and tells 'error' as `spawnCommand` does
 */
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
