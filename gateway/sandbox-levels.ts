import type { Redis } from 'ioredis';
import type { RedisClock } from '../shared/clock.ts';
import { HEARTBEAT_EXPIRES_MS, runnersKey, runnerStateKey } from '../shared/queue.ts';
import { decodeRunnerState } from '../shared/runner-state.ts';

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
    const states = ids.length > 0 ? await redis.mget(ids.map((id) => runnerStateKey(prefix, id))) : [];
    for (const state of states) {
      const level = decodeRunnerState(state ?? '')?.level ?? 'unknown';
      levels[level] = (levels[level] ?? 0) + 1;
    }
  } catch {
    // Readiness tells what is wrong.
  }
  return levels;
}
