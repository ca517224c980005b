import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { RedisClock } from '../shared/clock.ts';
import type { Logger } from '../shared/log.ts';
import { requestIdOf, type AsyncTerms } from '../shared/invocation.ts';
import { encodeReply, type Reply } from '../shared/reply.ts';

/** No stream holds more entries than this: a gateway takes out what it has read. */
const MAX_ENTRIES = 10_000;
/** How long the stream of a gateway that may be dead is kept. */
const ORPHAN_TTL_MS = 60_000;
const RETRY_MS = 200;

/** Where a reply goes, and until when anybody waits for it: the invocation's own fields. */
export interface Recipient {
  readonly replyTo: string;
  readonly deadline: number;
  readonly async?: AsyncTerms;
}

/**
 * Puts replies into the streams of the gateways that wait for them. A stream, unlike pub/sub, keeps the reply
 * when the gateway's connection breaks at this very moment.
 *
 * Nobody waits for Redis's confirmation: the command that ends the job goes over the same connection after it,
 * so that a job that has ended has been replied to. A reply that Redis refuses (out of memory, say) is sent again
 * until its deadline.
 */
export class Publisher {
  readonly #redis: Redis;
  readonly #clock: RedisClock;
  readonly #log: Logger;
  readonly #underWay = new Set<Promise<void>>();

  constructor(redis: Redis, clock: RedisClock, log: Logger) {
    this.#redis = redis;
    this.#clock = clock;
    this.#log = log;
  }

  /** To an asynchronous request, whose outcome is stored, its gateway listens only for as long as its client waits. */
  publish({ replyTo, deadline, async }: Recipient, reply: Reply): void {
    const until = async ? async.waitUntil : deadline;
    if (async && this.#clock.now() > until) return;
    const sending = this.#send(replyTo, until, reply).finally(() => this.#underWay.delete(sending));
    this.#underWay.add(sending);
  }

  /** Settles when Redis has confirmed everything. */
  async close(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  async #send(replyTo: string, deadline: number, reply: Reply): Promise<void> {
    for (;;) {
      try {
        return await add(this.#redis, replyTo, reply);
      } catch (error) {
        this.#log.warn({ err: error, requestId: requestIdOf(reply.id) }, 'a reply was not taken');
        if (isHopeless(error) || this.#clock.now() > deadline || this.#redis.status === 'end') return;
        await delay(RETRY_MS);
      }
    }
  }
}

/** The key is something else than a stream, which only an intruder can have made of it. */
function isHopeless(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('WRONGTYPE');
}

/**
 * A gateway that has gone has no stream any more. One whose stream was lost (Redis emptied) may still wait, so
 * the stream is then made again, with an end.
 */
async function add(redis: Redis, stream: string, reply: Reply): Promise<void> {
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
