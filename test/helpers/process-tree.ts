import { readdirSync, readFileSync } from 'node:fs';
import { SPAWNER_NAME } from '../../runner/spawner/messages.ts';

export interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  /** The program's. */
  readonly name: string;
  /** Resident memory, bytes. */
  readonly rss: number;
  /** CPU time used so far, clock ticks. */
  readonly cpu: number;
}

const PAGE = 4096;

/**
 * A process and all that descend from it, itself first; empty when it has gone. What only starts others and
 * waits for them, a runner's spawner or a bubblewrap, is left out: its children stand in its place.
 */
export function processTree(pid: number): ProcessInfo[] {
  return wholeTree(pid).filter(({ name }) => name !== 'bwrap' && name !== SPAWNER_NAME);
}

/** The same with what only waits. */
export function wholeTree(pid: number): ProcessInfo[] {
  const root = readProcess(pid);
  if (!root) return [];
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(Number(name)))
    .filter((info) => info !== undefined);
  const tree = [root];
  for (const member of tree) tree.push(...all.filter((info) => info.parent === member.pid));
  return tree;
}

/** Its arguments, with spaces between them; none when it has gone. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

export function isAlive(pid: number): boolean {
  return readProcess(pid) !== undefined;
}

/** From proc_pid_stat(5); a zombie, which only waits to be noticed, counts as gone. */
function readProcess(pid: number): ProcessInfo | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the program's name in parentheses and may hold spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    const [parent, user, system, rss] = [fields[1], fields[11], fields[12], fields[21]].map(Number) as [
      number,
      number,
      number,
      number,
    ];
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    return { pid, parent, name, rss: rss * PAGE, cpu: user + system };
  } catch {
    return undefined;
  }
}
