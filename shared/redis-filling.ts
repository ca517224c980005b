import type { Redis } from 'ioredis';

/** Of Redis's `maxmemory`, what may be in use for another answer to be kept: the rest is for requests that wait. */
const MOST = 0.8;

/**
 * Whether Redis has so little memory left that nothing more is to be kept there for hours. Without a `maxmemory` that
 * is never so (INFO, https://redis.io/docs/latest/commands/info/).
 */
export async function isRedisFilling(redis: Redis): Promise<boolean> {
  const memory = await redis.info('memory');
  const bytes = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(memory)?.[1] ?? 0);
  return bytes('maxmemory') > 0 && bytes('used_memory') > MOST * bytes('maxmemory');
}
