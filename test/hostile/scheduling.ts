import { spawnSync } from 'node:child_process';
import { constants, setPriority } from 'node:os';

/**
 * Attackers have machines of their own, so this process has a core only while the system wants none. With a nice
 * value alone it would keep one for the rest of its slice, some milliseconds (sched(7), "SCHED_IDLE").
 */
export function stepAside(): void {
  setPriority(constants.priority.PRIORITY_LOW);
  schedule('--idle', 0);
}

/**
 * Who asks the victim for something has a machine of his own, too: what this process waits for a core would count as
 * the system's latency, so it waits for none (sched(7), "SCHED_FIFO"; it takes the right to).
 */
export function stepForward(): void {
  schedule('--fifo', 1);
}

/** chrt(1); without it, or the right to, all stays as it is. */
function schedule(policy: '--idle' | '--fifo', priority: number): void {
  const args = ['--all-tasks', policy, '--pid', String(priority), String(process.pid)];
  spawnSync('chrt', args, { stdio: 'ignore' });
}
