import type { Redis } from 'ioredis';
import type { RedisClock } from '../shared/clock.ts';
import { HEARTBEAT_EXPIRES_MS, HEARTBEAT_MS, runnersKey, runnerStateKey } from '../shared/queue.ts';
import { encodeRunnerState, type RunnerState } from '../shared/runner-state.ts';

/**
 * Tells the world that this runner takes jobs: a time stamp in a sorted set, as long as `isConsuming` says so, and
 * beside it what the runner says of itself. Members that were not heard of for a while are swept out by whoever beats.
 *
 * @returns stops it and takes this runner off the list
 */
export function startHeartbeat(
  redis: Redis,
  options: {
    prefix: string;
    runnerId: string;
    clock: RedisClock;
    isConsuming: () => boolean;
    state: () => RunnerState;
  },
): () => Promise<void> {
  const { prefix, runnerId, clock, isConsuming, state } = options;
  const key = runnersKey(prefix);
  const stateKey = runnerStateKey(prefix, runnerId);
  const beat = async (): Promise<void> => {
    if (redis.status !== 'ready' || !isConsuming()) return;
    const now = Math.round(clock.now());
    await redis
      .multi()
      .zadd(key, now, runnerId)
      .zremrangebyscore(key, 0, now - 10 * HEARTBEAT_EXPIRES_MS)
      .set(stateKey, encodeRunnerState(state()), 'PX', HEARTBEAT_EXPIRES_MS)
      .exec();
  };
  const quietly = (): void => void beat().catch(() => undefined);
  quietly();
  const timer = setInterval(quietly, HEARTBEAT_MS);
  return async () => {
    clearInterval(timer);
    if (redis.status === 'ready') {
      await redis
        .multi()
        .zrem(key, runnerId)
        .del(stateKey)
        .exec()
        .catch(() => undefined);
    }
  };
}
