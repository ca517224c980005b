import type { Redis } from 'ioredis';

/** What a Redis has done so far, from `INFO` (https://redis.io/docs/latest/commands/info/). */
export interface RedisUsage {
  /** Calls by command; what a Lua script calls counts, too. */
  readonly calls: ReadonlyMap<string, number>;
  readonly commands: number;
  /** Bytes in and out over its connections. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** CPU time of the thread that runs commands, milliseconds. */
  readonly cpuMs: number;
}

export async function readUsage(redis: Redis): Promise<RedisUsage> {
  const [stats, cpu, commands] = await Promise.all([
    redis.info('stats'),
    redis.info('cpu'),
    redis.info('commandstats'),
  ]);
  const seconds = figure(cpu, 'used_cpu_user_main_thread') + figure(cpu, 'used_cpu_sys_main_thread');
  const calls = [...commands.matchAll(/^cmdstat_(\S+):calls=(\d+)/gm)];
  const byName = new Map(calls.map(([, name = '', count]) => [name, Number(count)]));
  return {
    calls: byName,
    commands: [...byName.values()].reduce((sum, count) => sum + count, 0),
    bytesIn: figure(stats, 'total_net_input_bytes'),
    bytesOut: figure(stats, 'total_net_output_bytes'),
    cpuMs: seconds * 1000,
  };
}

/** What was done between two looks, divided by `by`. */
export function between(before: RedisUsage, after: RedisUsage, by: number): RedisUsage {
  const calls = [...after.calls].map(
    ([name, count]) => [name, (count - (before.calls.get(name) ?? 0)) / by] as const,
  );
  return {
    calls: new Map(calls.filter(([, count]) => count > 0)),
    commands: (after.commands - before.commands) / by,
    bytesIn: (after.bytesIn - before.bytesIn) / by,
    bytesOut: (after.bytesOut - before.bytesOut) / by,
    cpuMs: (after.cpuMs - before.cpuMs) / by,
  };
}

function figure(text: string, name: string): number {
  return Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(text)?.[1] ?? 0);
}
