import { readdirSync } from 'node:fs';
import { isAlive, processTree } from '../helpers/process-tree.ts';
import type { System } from '../helpers/system.ts';

/** What a system occupies on its machine. */
export interface Footprint {
  readonly gateway: number;
  readonly runners: readonly number[];
  readonly sandboxes: number;
  /** Open descriptors of gateway and runners. */
  readonly descriptors: number;
  /** Resident bytes of gateway, of runners, and of the largest sandbox. */
  readonly gatewayBytes: number;
  readonly runnerBytes: number;
  readonly sandboxBytes: number;
}

export function footprint({ gateway, runners }: System): Footprint {
  const pids = runners.filter(({ pid }) => isAlive(pid)).map(({ pid }) => pid);
  const trees = pids.map(processTree);
  const [own] = processTree(gateway.pid);
  return {
    gateway: own?.pid ?? 0,
    runners: pids,
    sandboxes: trees.reduce((sum, tree) => sum + tree.length - 1, 0),
    descriptors: [gateway.pid, ...pids].reduce((sum, pid) => sum + descriptorsOf(pid), 0),
    gatewayBytes: own?.rss ?? 0,
    runnerBytes: trees.reduce((sum, [runner]) => sum + (runner?.rss ?? 0), 0),
    sandboxBytes: Math.max(0, ...trees.flatMap((tree) => tree.slice(1)).map(({ rss }) => rss)),
  };
}

function descriptorsOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}
