import { readFileSync } from 'node:fs';

/**
 * How long a process's main thread has had the processor, milliseconds, from `/proc/<pid>/schedstat` (the kernel's
 * Documentation/scheduler/sched-stats.rst); `undefined` where there is no such file: the process has gone, or the
 * kernel does not count.
 */
export function processorTimeOf(pid: number | 'self'): number | undefined {
  try {
    const [nanoseconds] = readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ', 1);
    return Number(nanoseconds) / 1e6;
  } catch {
    return undefined;
  }
}
