import type { Redis } from 'ioredis';
import type { RedisClock } from '../shared/clock.ts';
import type { Logger } from '../shared/log.ts';
import { gatewaysKey } from '../shared/queue.ts';
import { requestIdOf } from '../shared/invocation.ts';
import { decodeReply } from '../shared/reply.ts';

const BEAT_MS = 2000;
/** So often in a row a gateway must be missed: after an outage of Redis all seem to have been silent for long. */
const SIGHTINGS = 3;
/** Replies that are taken out of a dead gateway's stream at a time. */
const BATCH = 256;

/** KEYS: a stream. ARGV: how many. The heads of its oldest entries, which are taken out; bodies stay in Redis. */
const TAKE = `
local heads = {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', ARGV[1])) do
  redis.call('XDEL', KEYS[1], entry[1])
  if entry[2][1] == 'h' then table.insert(heads, entry[2][2]) else table.insert(heads, '') end
end
return heads`;

/**
 * The list of gateways in Redis, by which each looks after those that died: what ran for them is answered to nobody,
 * and the log says so, request by request. A gateway counts as dead when it was silent for so long that none of its
 * clients can be waiting any more; one that was frozen only is on the list again when it comes back.
 *
 * Two commands every 2 s. What a dead gateway had read and not yet taken out of its stream, a tenth of a second's
 * replies, is told of too, though it may have been answered.
 */
export class GatewayRegister {
  /** Replies that were found in the streams of dead gateways. */
  orphaned = 0;
  readonly #redis: Redis;
  readonly #clock: RedisClock;
  readonly #key: string;
  readonly #stream: string;
  readonly #goneAfterMs: number;
  readonly #log: Logger;
  #timer: NodeJS.Timeout | undefined;
  #missed = new Map<string, number>();

  /**
   * @param stream this gateway's reply stream
   * @param deadlineMs a request's time from arrival to answer
   */
  constructor(
    redis: Redis,
    clock: RedisClock,
    options: { prefix: string; stream: string; deadlineMs: number; log: Logger },
  ) {
    this.#redis = redis;
    this.#clock = clock;
    this.#key = gatewaysKey(options.prefix);
    this.#stream = options.stream;
    this.#goneAfterMs = options.deadlineMs + 2 * BEAT_MS;
    this.#log = options.log;
  }

  async start(): Promise<void> {
    await this.#beat();
    this.#timer = setInterval(() => void this.#beat().catch(() => this.#missed.clear()), BEAT_MS);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#redis.status === 'ready')
      await this.#redis.zrem(this.#key, this.#stream).catch(() => undefined);
  }

  async #beat(): Promise<void> {
    const now = Math.round(this.#clock.now());
    const [, gone] = await Promise.all([
      this.#redis.zadd(this.#key, now, this.#stream),
      this.#redis.zrangebyscore(this.#key, '-inf', now - this.#goneAfterMs),
    ]);
    this.#missed = new Map(gone.map((stream) => [stream, (this.#missed.get(stream) ?? 0) + 1]));
    for (const [stream, times] of this.#missed)
      if (times >= SIGHTINGS && stream !== this.#stream) await this.#bury(stream);
  }

  async #bury(stream: string): Promise<void> {
    let found = 0;
    for (;;) {
      const heads = (await this.#redis.eval(TAKE, 1, stream, BATCH)) as string[];
      for (const head of heads) found += this.#tell(head);
      if (heads.length < BATCH) break;
    }
    await this.#redis.multi().del(stream).zrem(this.#key, stream).exec();
    this.#log.warn({ stream, replies: found }, 'a gateway has died');
  }

  /** @returns how many replies it is: 1 or 0 */
  #tell(head: string): number {
    let reply;
    try {
      reply = decodeReply(head, NO_BODY);
    } catch {
      // The entry that made the stream, or what no runner sent.
      return 0;
    }
    const { kind } = reply.outcome;
    const code = reply.outcome.kind === 'failure' ? reply.outcome.code : undefined;
    this.orphaned++;
    this.#log.warn({ requestId: requestIdOf(reply.id), kind, code }, 'it ran for a gateway that has died');
    return 1;
  }
}

const NO_BODY = Buffer.alloc(0);
