import { readdirSync, readFileSync } from 'node:fs';
import { SPAWNER_NAME } from '../../runner/spawner/messages.ts';

export interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  /** Resident memory, bytes. */
  readonly resident: number;
}

const PAGE = 4096;

/** A process and all that descend from it, from proc_pid_stat(5). */
export function processTree(pid: number): ProcessInfo[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(name) ?? []);
  const tree = all.filter((info) => info.pid === pid);
  for (const member of tree) tree.push(...all.filter(({ parent }) => parent === member.pid));
  return tree;
}

/** The processes in which scripts run: those below a runner that have nothing below themselves. */
export function sandboxesOf(runner: number): number[] {
  const tree = processTree(runner).filter(({ pid }) => pid !== runner);
  const parents = new Set(tree.map(({ parent }) => parent));
  const leaves = tree.filter(({ pid }) => !parents.has(pid));
  return leaves.filter(({ name }) => name !== 'bwrap' && name !== SPAWNER_NAME).map(({ pid }) => pid);
}

/** How many descriptors a process holds open. */
export function descriptorsOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}

function readProcess(pid: string): ProcessInfo | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the program's name in parentheses and may hold spaces.
    const end = stat.lastIndexOf(')');
    const fields = stat.slice(end + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    const name = stat.slice(stat.indexOf('(') + 1, end);
    return { pid: Number(pid), parent: Number(fields[1]), name, resident: Number(fields[21]) * PAGE };
  } catch {
    return undefined;
  }
}
