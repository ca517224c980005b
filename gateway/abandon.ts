import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { abandonedChannel, abandonedMark } from '../shared/abandonment.ts';
import type { RedisClock } from '../shared/clock.ts';
import type { Invocation } from '../shared/invocation.ts';
import type { Logger } from '../shared/log.ts';

/**
 * What becomes of the job of an abandoned invocation: it is gone; its runner has been told to end it; or it is run for
 * nobody.
 */
export type Abandoned = 'gone' | 'called off' | 'goes on';

/** Ends an invocation that was enqueued and that nobody waits for any more; `why` is for the log. Never throws. */
export type Abandon = (invocation: Invocation, why: string) => Promise<Abandoned>;

/** How long a runner may still take up a job after its deadline, milliseconds: it only drops it then. */
const MARK_SLACK_MS = 5000;

/**
 * A job that no runner has yet is taken out of the queue; a running one is called off, and its runner ends it
 * (runner/abandonments.ts). An invocation with an `Idempotency-Key` goes on: others may wait for its answer, and
 * its client may come back for it.
 */
export function createAbandon(deps: {
  readonly queue: Queue;
  readonly redis: Redis;
  readonly clock: RedisClock;
  readonly prefix: string;
  readonly log: Logger;
}): Abandon {
  const { queue, redis, clock, prefix, log } = deps;
  return async ({ id, hostname, deadline, idempotencyRecord }, why) => {
    if (idempotencyRecord !== undefined) return 'goes on';
    try {
      const isRunning = (await queue.remove(id)) === 0;
      log.info({ requestId: id, tenant: hostname, isRunning }, why);
      if (!isRunning) return 'gone';
      const markMs = Math.ceil(Math.max(0, deadline - clock.now()) + MARK_SLACK_MS);
      await redis
        .multi()
        .set(abandonedMark(prefix, id), 1, 'PX', markMs)
        .publish(abandonedChannel(prefix), id)
        .exec();
      return 'called off';
    } catch (error) {
      // Until its deadline at the latest.
      log.debug({ requestId: id, err: error }, 'an abandoned invocation could not be called off');
      return 'goes on';
    }
  };
}
