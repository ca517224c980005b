import type { Redis } from 'ioredis';
import { encodeReply, type Reply } from '../shared/reply.ts';

/** No stream holds more entries than this: a gateway takes out what it has read. */
const MAX_ENTRIES = 10_000;
/** How long the stream of a gateway that may be dead is kept. */
const ORPHAN_TTL_MS = 60_000;

/**
 * Puts a reply into the stream of the gateway that waits for it. A stream, unlike pub/sub, keeps the reply when
 * the gateway's connection breaks at this very moment.
 *
 * A gateway that has gone has no stream any more. One whose stream was lost (Redis emptied) may still wait, so
 * the stream is then made again, with an end.
 */
export async function publishReply(redis: Redis, stream: string, reply: Reply): Promise<void> {
  const { head, body } = encodeReply(reply);
  const entry = ['MAXLEN', '~', MAX_ENTRIES, '*', 'h', head, 'b', body] as const;
  const added = await redis.xadd(stream, 'NOMKSTREAM', ...entry);
  if (added !== null) return;
  await redis
    .multi()
    .xadd(stream, ...entry)
    .pexpire(stream, ORPHAN_TTL_MS)
    .exec();
}
