import type { Redis } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';
import { QUEUE_NAME } from '../../shared/queue.ts';
import type { LoadResult } from './wrk.ts';
import type { System } from './system.ts';
import { usageOf, usageOfTree, type Usage } from './usage.ts';

/** A load's outcome, with what it cost. Times in milliseconds, all costs per request. */
export type Sample = Readonly<Record<string, number>>;

/** Where the resources go. */
export interface Meters {
  readonly redis: Redis;
  /** Requests that the S3 server has answered so far. */
  readonly s3Requests: () => number;
}

/** Runs a load against a system and reads the meters before and after it. */
export async function measureLoad(
  meters: Meters,
  system: System,
  load: () => Promise<LoadResult>,
): Promise<Sample> {
  await untilIdle(meters.redis, system);
  const before = await read(meters, system);
  const result = await load();
  const after = await read(meters, system);
  const sample: Record<string, number> = { ...result };
  for (const [name, value] of Object.entries(after)) {
    sample[name] = (value - (before[name] ?? 0)) / result.requests;
  }
  sample['residentMb'] = residentOf(system) / 1_048_576;
  return sample;
}

/** Bytes of all processes of a system. */
function residentOf({ gateway, runners }: System): number {
  return [gateway, ...runners].reduce((sum, pid) => sum + usageOfTree(pid).resident, 0);
}

async function read({ redis, s3Requests }: Meters, system: System): Promise<Record<string, number>> {
  const info = await redis.info();
  const value = (name: string): number => Number(new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1] ?? NaN);
  return {
    gatewayCpuMs: cpuOf([system.gateway], usageOf),
    runnerCpuMs: cpuOf(system.runners, usageOf),
    sandboxCpuMs: cpuOf(system.runners, usageOfTree) - cpuOf(system.runners, usageOf),
    redisCpuMs: (value('used_cpu_user') + value('used_cpu_sys')) * 1000,
    redisCommands: value('total_commands_processed'),
    redisBytes: value('total_net_input_bytes') + value('total_net_output_bytes'),
    s3Requests: s3Requests(),
  };
}

function cpuOf(pids: readonly number[], usage: (pid: number) => Usage): number {
  return pids.reduce((sum, pid) => sum + usage(pid).cpu, 0) * 1000;
}

/** wrk breaks off what is in flight when its time is up; that must not weigh on the next measurement. */
async function untilIdle(redis: Redis, { prefix }: System): Promise<void> {
  const key = `${prefix}:${QUEUE_NAME}`;
  while ((await redis.llen(`${key}:wait`)) + (await redis.llen(`${key}:active`)) > 0) await sleep(20);
}
