import type { Redis } from 'ioredis';
import type { RedisClock } from '../shared/clock.ts';
import { HEARTBEAT_EXPIRES_MS, runnersKey } from '../shared/queue.ts';

/** What keeps this gateway from serving requests, a sentence each; empty when nothing does. */
export async function readiness(redis: Redis, clock: RedisClock, prefix: string): Promise<string[]> {
  try {
    const runners = await redis.zcount(
      runnersKey(prefix),
      Math.round(clock.now()) - HEARTBEAT_EXPIRES_MS,
      '+inf',
    );
    return runners > 0 ? [] : ['no runner takes jobs'];
  } catch {
    return ['Redis does not answer'];
  }
}
