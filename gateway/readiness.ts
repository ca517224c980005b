import type { Redis } from 'ioredis';
import type { RedisClock } from '../shared/clock.ts';
import { readAutoscalerState } from '../shared/autoscaler-state.ts';
import type { Config } from '../shared/config.ts';
import { HEARTBEAT_EXPIRES_MS, runnersKey } from '../shared/queue.ts';

/**
 * What keeps this gateway from serving requests, a sentence each; empty when nothing does.
 *
 * With `MIN_RUNNERS=0` no runner is no obstacle while an autoscaler is there to start one: requests wait for it.
 */
export async function readiness(redis: Redis, clock: RedisClock, config: Config): Promise<string[]> {
  const prefix = config.QUEUE_PREFIX;
  try {
    const runners = await redis.zcount(
      runnersKey(prefix),
      Math.round(clock.now()) - HEARTBEAT_EXPIRES_MS,
      '+inf',
    );
    if (runners > 0) return [];
    if (config.MIN_RUNNERS > 0) return ['no runner takes jobs'];
    const autoscaler = await readAutoscalerState(redis, prefix);
    return autoscaler ? [] : ['no runner takes jobs, and no autoscaler is there to start one'];
  } catch {
    return ['Redis does not answer'];
  }
}
