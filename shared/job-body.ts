import type { Redis } from 'ioredis';

/**
 * Where a large body lies, as it came: the one element of a list that is BullMQ's log of the job. So it is gone with
 * the job, however that goes: BullMQ deletes both in one step.
 *
 * @param jobKey Redis key of the job
 */
const keyOf = (jobKey: string): string => `${jobKey}:logs`;

/** Puts a body where its job will be. It vanishes after `ttlMs`, unless `keepJobBody` is called before. */
export async function putJobBody(redis: Redis, jobKey: string, body: Buffer, ttlMs: number): Promise<void> {
  const key = keyOf(jobKey);
  const results = await redis.multi().rpush(key, body).pexpire(key, ttlMs).exec();
  // A transaction goes on after a command that failed.
  for (const [error] of results ?? []) if (error) throw error;
}

/** The job is there: from here on its body stays for as long as it does. */
export async function keepJobBody(redis: Redis, jobKey: string): Promise<void> {
  await redis.persist(keyOf(jobKey));
}

/** @returns `null` when there is none */
export async function readJobBody(redis: Redis, jobKey: string): Promise<Buffer | null> {
  return redis.lindexBuffer(keyOf(jobKey), 0);
}
