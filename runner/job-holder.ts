import type { Job } from 'bullmq';
import type { Redis } from 'ioredis';
import { jobKeyOf, WORKER_OPTIONS } from '../shared/queue.ts';
import { recordKeyOf } from '../shared/records/record-keys.ts';

/** For so long after it was taken a job's lock cannot have run out, milliseconds; a second is left for the way. */
const CERTAIN_MS = WORKER_OPTIONS.lockDuration - 1000;
/** An answer that took longer than this may be old when it is read: this process may have been frozen meanwhile. */
const FRESH_MS = 1000;
const TRIES = 3;

/**
 * KEYS: the job's lock, the job, the list of active jobs, the set of those that may have stalled, the record that is
 * made of it when it has failed.
 * ARGV: token, id, lock duration (ms). 1: the job is the token's, or nobody's any more.
 *
 * A lock that ran out while the job is still active has not been noticed by anybody: it is taken again.
 */
const CONFIRM = `
local holder = redis.call('GET', KEYS[1])
if holder then return holder == ARGV[1] and 1 or 0 end
if redis.call('EXISTS', KEYS[2]) == 0 then return 1 - redis.call('EXISTS', KEYS[5]) end
if not redis.call('LPOS', KEYS[3], ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
redis.call('SREM', KEYS[4], ARGV[2])
return 1`;

/**
 * Whether a job is still this runner's. A runner that was frozen past the job's lock comes back to a job that has
 * been given to another, and its result is refused: BullMQ refuses the job's end, this refuses the reply.
 *
 * A job that is not there any more and has no record has been answered, then the gateway drops the reply as the second; or Redis was
 * emptied, then nobody else will ever answer.
 */
export class JobHolder {
  readonly #redis: Redis;
  readonly #prefix: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  /** Costs nothing: most jobs end long before their lock could. */
  isCertain(job: Job): boolean {
    return Date.now() - (job.processedOn ?? 0) < CERTAIN_MS;
  }

  /** Asks Redis. While Redis cannot tell, the job counts as held: the first reply wins anyway. */
  async confirm(job: Job, token: string): Promise<boolean> {
    for (let i = 0; i < TRIES; i++) {
      const asked = performance.now();
      const isHeld = await this.#ask(job, token).catch(() => true);
      if (!isHeld || performance.now() - asked < FRESH_MS) return isHeld;
    }
    return true;
  }

  async #ask(job: Job, token: string): Promise<boolean> {
    const { id = '', queueName } = job;
    const [queue, key] = [`${this.#prefix}:${queueName}`, jobKeyOf(this.#prefix, job)];
    const record = recordKeyOf(this.#prefix, id);
    const keys = [`${key}:lock`, key, `${queue}:active`, `${queue}:stalled`, record];
    return (
      (await this.#redis.eval(CONFIRM, keys.length, ...keys, token, id, WORKER_OPTIONS.lockDuration)) === 1
    );
  }
}
