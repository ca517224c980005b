import { readFileSync } from 'node:fs';

const PAGE = 4096;

export interface ProcessMemory {
  /** Bytes in memory. */
  readonly resident: number;
  /** Bytes of address space: what was only reserved counts too. */
  readonly virtual: number;
}

const UNKNOWN: ProcessMemory = { resident: 0, virtual: 0 };

/**
 * Memory of a process, from `/proc/<pid>/statm` (proc(5)); zeros where there is no such file: the process has
 * gone, or the system is not Linux.
 */
export function memoryOf(pid: number | undefined): ProcessMemory {
  try {
    const [virtual, resident] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ').map(Number);
    return { resident: (resident ?? 0) * PAGE, virtual: (virtual ?? 0) * PAGE };
  } catch {
    return UNKNOWN;
  }
}
