import { spawnSync } from 'node:child_process';
import { constants, setPriority } from 'node:os';

/**
 * A process gets a core only while nobody else wants one. With a nice value alone it would keep it for the rest of
 * its slice, some milliseconds (sched(7), "SCHED_IDLE").
 */
export function stepAside(pid: number): void {
  setPriority(pid, constants.priority.PRIORITY_LOW);
  schedule(pid, '--idle', 0);
}

/** A process never waits for a core (sched(7), "SCHED_FIFO"); it takes the right to. */
export function stepForward(pid: number): void {
  schedule(pid, '--fifo', 1);
}

/** chrt(1); without it, or the right to, all stays as it is. */
function schedule(pid: number, policy: '--idle' | '--fifo', priority: number): void {
  spawnSync('chrt', ['--all-tasks', policy, '--pid', String(priority), String(pid)], { stdio: 'ignore' });
}
