import { readdirSync, readFileSync } from 'node:fs';

/** O_CLOEXEC on Linux, octal as proc_pid_fdinfo(5) writes it. */
const CLOSE_ON_EXEC = 0o2000000;
/** 0 to 3 are given to a sandbox on purpose. */
const OWN = 3;

/**
 * Descriptors that this process was started with and that would go on into its children: a supervisor's lock or
 * socket, say. Node opens its own so that they do not. Known on Linux only.
 */
export function inheritedDescriptors(): number[] {
  try {
    const all = readdirSync('/proc/self/fdinfo').map(Number);
    return all.filter((fd) => fd > OWN && goesOn(fd));
  } catch {
    return [];
  }
}

function goesOn(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
  } catch {
    // The directory's own descriptor, which is closed by now.
    return false;
  }
}
