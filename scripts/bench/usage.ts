import { readdirSync, readFileSync } from 'node:fs';

const PAGE = 4096;
/** `getconf CLK_TCK`, 100 on every Linux in use. */
const TICKS_PER_SECOND = 100;

export interface Usage {
  /** CPU time, seconds. */
  readonly cpu: number;
  /** Resident memory, bytes. Pages that processes share are counted in each. */
  readonly resident: number;
}

/** What a process itself has used so far. */
export function usageOf(pid: number): Usage {
  return readStat(String(pid)) ?? { cpu: 0, resident: 0 };
}

/** What a process and all that descend from it have used so far, from proc_pid_stat(5). */
export function usageOfTree(pid: number): Usage {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readStat(name) ?? []);
  const tree = all.filter((stat) => stat.pid === pid);
  for (const member of tree) tree.push(...all.filter(({ parent }) => parent === member.pid));
  return {
    cpu: tree.reduce((sum, { cpu }) => sum + cpu, 0),
    resident: tree.reduce((sum, { resident }) => sum + resident, 0),
  };
}

function readStat(pid: string): (Usage & { pid: number; parent: number }) | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the program's name in parentheses and may hold spaces.
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const at = (index: number): number => fields[index] ?? 0;
    // utime, stime, and those of children that have ended and were waited for.
    const ticks = at(11) + at(12) + at(13) + at(14);
    return { pid: Number(pid), parent: at(1), cpu: ticks / TICKS_PER_SECOND, resident: at(21) * PAGE };
  } catch {
    return undefined;
  }
}
