import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { RedisClock } from '../shared/clock.ts';
import { HEARTBEAT_EXPIRES_MS, runnerDetailKey, runnersKey } from '../shared/queue.ts';

const schema = z.object({ sandboxes: z.string() });

/** How many of the runners that take jobs have sandboxes of which level; empty when Redis does not answer. */
export async function sandboxLevels(
  redis: Redis,
  clock: RedisClock,
  prefix: string,
): Promise<Record<string, number>> {
  const levels: Record<string, number> = {};
  const since = Math.round(clock.now()) - HEARTBEAT_EXPIRES_MS;
  try {
    const ids = await redis.zrangebyscore(runnersKey(prefix), since, '+inf');
    const details = ids.length > 0 ? await redis.mget(ids.map((id) => runnerDetailKey(prefix, id))) : [];
    for (const detail of details) {
      const { sandboxes: level } = schema.parse(JSON.parse(detail ?? '{"sandboxes":"unknown"}'));
      levels[level] = (levels[level] ?? 0) + 1;
    }
  } catch {
    // Readiness tells what is wrong.
  }
  return levels;
}
