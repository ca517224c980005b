import type { Redis } from 'ioredis';
import type { RedisClock } from '../shared/clock.ts';
import { HEARTBEAT_EXPIRES_MS, HEARTBEAT_MS, runnerDetailKey, runnersKey } from '../shared/queue.ts';

/**
 * Tells the world that this runner takes jobs: a time stamp in a sorted set, as long as `isConsuming` says so.
 * Members that were not heard of for a while are swept out by whoever beats.
 *
 * @param options.detail what else the world should know of this runner
 * @returns stops it and takes this runner off the list
 */
export function startHeartbeat(
  redis: Redis,
  options: {
    prefix: string;
    runnerId: string;
    clock: RedisClock;
    isConsuming: () => boolean;
    detail: { sandboxes: string };
  },
): () => Promise<void> {
  const { prefix, runnerId, clock, isConsuming, detail } = options;
  const key = runnersKey(prefix);
  const beat = async (): Promise<void> => {
    if (redis.status !== 'ready' || !isConsuming()) return;
    const now = Math.round(clock.now());
    await redis
      .multi()
      .zadd(key, now, runnerId)
      .set(runnerDetailKey(prefix, runnerId), JSON.stringify(detail), 'PX', HEARTBEAT_EXPIRES_MS)
      .zremrangebyscore(key, 0, now - 10 * HEARTBEAT_EXPIRES_MS)
      .exec();
  };
  const quietly = (): void => void beat().catch(() => undefined);
  quietly();
  const timer = setInterval(quietly, HEARTBEAT_MS);
  return async () => {
    clearInterval(timer);
    if (redis.status === 'ready') await redis.zrem(key, runnerId).catch(() => undefined);
  };
}
