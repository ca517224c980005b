import { readFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { processorTimeOf } from './processor-time.ts';

/** Bit of a capability set: capabilities(7). */
const CAP_SYS_NICE = 1n << 23n;
/** The most that a process can give way: setpriority(2). */
const LOWEST = 19;

/** Makes a process give way to all others, or not any more. That the process has gone is no error. */
export type GiveWay = (gives: boolean) => void;

/**
 * It is the part of the processor that a process's main thread has that is changed (sched(7), "The nice value"): scripts
 * run in that one, and V8 has no other at work in a sandbox (`--single-threaded`). The kernel looks at it within a
 * session or a control group; others of those have parts of their own.
 *
 * @param by how much, 1 to 19
 * @returns what there is to call for each process, by its id; nothing where a process that gave way could not be put
 * back, which takes the right to (Linux), or where it could not be seen that it must be
 */
export function detectNiceness(by: number): ((pid: number) => GiveWay) | undefined {
  // Kernels that do not count say that it was none.
  if (!mayComeBack() || !processorTimeOf('self')) return undefined;
  const normal = getPriority();
  const low = Math.min(LOWEST, normal + by);
  return (pid) => (gives) => {
    try {
      setPriority(pid, gives ? low : normal);
    } catch {
      // The process has gone.
    }
  };
}

/** A capability that was had with a user namespace of one's own does not count (user_namespaces(7)). */
function mayComeBack(): boolean {
  try {
    const [, digits] = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? [];
    const usersMap = readFileSync('/proc/self/uid_map', 'latin1').trim().split(/\s+/);
    return (BigInt(`0x${digits ?? '0'}`) & CAP_SYS_NICE) !== 0n && usersMap.join(' ') === '0 0 4294967295';
  } catch {
    return false;
  }
}
