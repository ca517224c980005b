import { writeFileSync } from 'node:fs';

/** The highest that there is: proc_pid_oom_score_adj(5). */
const FIRST = '1000';

/** When the machine itself runs out of memory, the kernel is to take a sandbox before anything else (Linux). */
export function preferWhenMemoryIsOut(pid: number | undefined): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, FIRST);
  } catch {
    // The process has gone, or the system is not Linux.
  }
}
