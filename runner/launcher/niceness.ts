import { readFileSync, writeFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { processorTimeOf } from './processor-time.ts';

/** Bits of a capability set: capabilities(7). */
const CAP_SYS_ADMIN = 1n << 21n;
const CAP_SYS_NICE = 1n << 23n;
/** The most that a process can give way: setpriority(2). */
const LOWEST = 19;

/** Makes a process give way to all others, or not any more. That the process has gone is no error. */
export type GiveWay = (gives: boolean) => void;

/**
 * Two of the kernel's shares of the processor are changed (sched(7), "The nice value" and "The autogroup feature"):
 * that of the process's main thread, in which scripts run, and that of its session where it has one of its own, as
 * bubblewrap gives it: among sessions the kernel looks at nothing else.
 *
 * @param by how much, 1 to 19
 * @returns what there is to call for each process, by its id; nothing where a process that gave way could not be put
 * back, which takes the right to (Linux), or where it could not be seen that it must be
 */
export function detectNiceness(by: number): ((pid: number) => GiveWay) | undefined {
  const rights = effectiveCapabilities();
  // Kernels that do not count say that it was none.
  if ((rights & CAP_SYS_NICE) === 0n || !processorTimeOf('self')) return undefined;
  const normal = getPriority();
  const low = Math.min(LOWEST, normal + by);
  // Without this right the kernel takes one change in 100 ms, and might not take a sandbox's return.
  const changesSessions = (rights & CAP_SYS_ADMIN) !== 0n;
  return (pid) => {
    const session = changesSessions && ownsSession(pid) ? autogroupFile(pid) : undefined;
    return (gives) => {
      try {
        setPriority(pid, gives ? low : normal);
        if (session) writeFileSync(session, String(gives ? by : 0));
      } catch {
        // The process has gone.
      }
    };
  };
}

function effectiveCapabilities(): bigint {
  try {
    const [, digits] = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? [];
    return BigInt(`0x${digits ?? '0'}`);
  } catch {
    return 0n;
  }
}

/** Not where the kernel has no such groups, nor when the process has gone. */
function ownsSession(pid: number): boolean {
  try {
    return autogroup(pid) !== autogroup('self');
  } catch {
    return false;
  }
}

/** Its name, of a file such as `/autogroup-25 nice 0`. */
function autogroup(pid: number | 'self'): string | undefined {
  return readFileSync(autogroupFile(pid), 'latin1').split(' ', 1)[0];
}

function autogroupFile(pid: number | 'self'): string {
  return `/proc/${pid}/autogroup`;
}
