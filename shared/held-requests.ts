import type { Redis } from 'ioredis';

/**
 * Requests that gateways hold back (gateway/admission/): they wait as those in the queue do, so whoever counts the
 * waiting counts them, and gateways that hold some share the room that there is.
 *
 * `<prefix>:holding`: a sorted set of gateways by the time of their last word; `<prefix>:holding:<id>`: how many and
 * how old the oldest is, milliseconds. Who holds none is not there.
 */
const EXPIRES_MS = 2000;

export interface HeldRequests {
  /** Gateways that hold requests back. */
  readonly gateways: readonly string[];
  readonly count: number;
  readonly oldestMs: number;
}

export async function tellHeld(
  redis: Redis,
  prefix: string,
  gateway: { readonly id: string; readonly now: number; readonly count: number; readonly oldestMs: number },
): Promise<void> {
  const { id, now, count, oldestMs } = gateway;
  const all = `${prefix}:holding`;
  const multi = redis.multi().zremrangebyscore(all, 0, now - EXPIRES_MS);
  if (count === 0) multi.zrem(all, id).del(`${all}:${id}`);
  else
    multi
      .zadd(all, now, id)
      .pexpire(all, 10 * EXPIRES_MS)
      .set(`${all}:${id}`, `${count} ${Math.round(oldestMs)}`, 'PX', EXPIRES_MS);
  await multi.exec();
}

export async function readHeld(redis: Redis, prefix: string): Promise<HeldRequests> {
  const all = `${prefix}:holding`;
  const ids = await redis.zrangebyscore(all, '-inf', '+inf');
  const texts = ids.length > 0 ? await redis.mget(ids.map((id) => `${all}:${id}`)) : [];
  const told = texts.map((text) => text?.split(' ').map(Number) ?? []);
  return {
    gateways: ids.filter((_id, i) => texts[i]),
    count: told.reduce((sum, [count = 0]) => sum + count, 0),
    oldestMs: Math.max(0, ...told.map(([, oldestMs = 0]) => oldestMs)),
  };
}
