import { descriptorsOf, processTree } from './processes.ts';
import type { SoakSystem } from './system.ts';

/** What the system holds at a moment. Memory in MiB. */
export interface Footprint {
  readonly processes: number;
  readonly gatewayDescriptors: number;
  readonly runnerDescriptors: number;
  readonly gatewayMemory: number;
  /** Runners without their sandboxes. */
  readonly runnerMemory: number;
  readonly redisMemory: number;
  readonly redisConnections: number;
  /** Keys in Redis but those of records and failed jobs, which are kept on purpose. */
  readonly keys: number;
  /** Records, and failed jobs without one. */
  readonly failures: number;
}

const MEBIBYTE = 1_048_576;

export async function readFootprint({ redis, prefix, gateways, runners }: SoakSystem): Promise<Footprint> {
  const gatewayPids = gateways.map(({ pid }) => pid);
  const failed = await redis.zcard(`${prefix}:invocations:failed`);
  const recorded = await redis.zcard(`${prefix}:records:all`);
  const info = await redis.info();
  const figure = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? NaN);
  return {
    processes: [...gatewayPids, ...runners].reduce((sum, pid) => sum + processTree(pid).length, 0),
    gatewayDescriptors: descriptors(gatewayPids),
    runnerDescriptors: descriptors(runners),
    gatewayMemory: memory(gatewayPids),
    runnerMemory: memory(runners),
    redisMemory: figure('used_memory') / MEBIBYTE,
    redisConnections: figure('connected_clients'),
    keys: await countKeys(redis, prefix),
    failures: failed + recorded,
  };
}

function memory(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + (processTree(pid)[0]?.resident ?? 0), 0) / MEBIBYTE;
}

function descriptors(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + descriptorsOf(pid), 0);
}

async function countKeys(redis: SoakSystem['redis'], prefix: string): Promise<number> {
  const failed = new Set(await redis.zrange(`${prefix}:invocations:failed`, '0', '-1'));
  let count = 0;
  for await (const keys of redis.scanStream({ match: `${prefix}:*`, count: 1000 }))
    for (const key of keys as string[]) {
      if (key.startsWith(`${prefix}:records:`)) continue;
      const id = key.slice(`${prefix}:invocations:`.length).replace(/:logs$/, '');
      if (!failed.has(id)) count++;
    }
  return count;
}
