import type { Redis } from 'ioredis';
import type { Config } from '../shared/config.ts';
import type { Logger } from '../shared/log.ts';
import { decodeReply, type Reply } from '../shared/reply.ts';

/** A blocking read ends this often, so that a connection that died unnoticed is found out. */
const BLOCK_MS = 2000;
/** What one read may bring after the reader was held up: so many replies, and no more than so many bytes of them. */
const BATCH = { most: 256, least: 4, bytes: 67_108_864 };
/**
 * The stream outlives the gateway's silence by this much beyond a request's time, and then vanishes by itself. Other
 * gateways look into it before (gateway-register.ts).
 */
const STREAM_SLACK_MS = 60_000;
const KEEP_ALIVE_MS = 5000;
const RETRY_MS = 200;
/** What was read is taken out of the stream when it has become this much, bytes, or after this long. */
const TRIM_BYTES = 1_048_576;
const TRIM_MS = 100;

const NOTHING_RAN = { prepare: 0, isolate: 0, script: 0, total: 0 };

type Entry = [id: Buffer, fields: Buffer[]];

/**
 * The replies to this gateway's invocations: one stream, one reader, many waiters.
 *
 * Entries stay in the stream until they were read, so a broken connection loses none; they are read in order
 * from the last one seen. Waiters are found by the invocation's id and secret, so that nobody who does not know
 * both can answer. The first reply wins: a second one, and one that
 * nobody waits for any more, is counted and dropped.
 */
export class Replies {
  readonly key: string;
  readonly counts = { delivered: 0, unclaimed: 0, unreadable: 0 };
  readonly #reader: Redis;
  readonly #commands: Redis;
  readonly #log: Logger;
  readonly #waiters = new Map<string, (reply: Reply) => void>();
  readonly #ttlMs: number;
  readonly #batch: number;
  #lastId = '0-0';
  #readBytes = 0;
  #trimmer: NodeJS.Timeout | undefined;
  #keepAlive: NodeJS.Timeout | undefined;
  #closed = false;
  #ending = false;

  /**
   * @param key the stream's, this gateway's alone
   * @param reader a patient connection of its own, for blocking reads
   * @param commands any connection
   * @param config the time that a request has from arrival to answer, and how large an answer may be
   */
  constructor(
    key: string,
    reader: Redis,
    commands: Redis,
    config: Pick<Config, 'REQUEST_DEADLINE_MS' | 'MAX_RESPONSE_BYTES'>,
    log: Logger,
  ) {
    this.key = key;
    this.#reader = reader;
    this.#commands = commands;
    this.#ttlMs = config.REQUEST_DEADLINE_MS + STREAM_SLACK_MS;
    const fitting = Math.floor(BATCH.bytes / config.MAX_RESPONSE_BYTES);
    this.#batch = Math.min(BATCH.most, Math.max(BATCH.least, fitting));
    this.#log = log;
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  async start(): Promise<void> {
    await this.#touch();
    this.#keepAlive = setInterval(() => void this.#touch().catch(() => undefined), KEEP_ALIVE_MS);
    void this.#read();
  }

  /** @param id `replyIdOf` the invocation
   * @param deliver called at most once, with the first reply for this id; returns the end of waiting */
  expect(id: string, deliver: (reply: Reply) => void): () => void {
    this.#waiters.set(id, deliver);
    if (this.#ending) queueMicrotask(() => this.#end(id));
    return () => void this.#waiters.delete(id);
  }

  /** The gateway has to end: whoever waits, and whoever comes to wait, gets `gateway_closing`. */
  endAll(): void {
    this.#ending = true;
    for (const id of this.#waiters.keys()) this.#end(id);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#keepAlive);
    clearTimeout(this.#trimmer);
    this.#reader.disconnect();
    if (this.#commands.status === 'ready') await this.#commands.del(this.key).catch(() => undefined);
  }

  #end(id: string): void {
    const deliver = this.#waiters.get(id);
    this.#waiters.delete(id);
    deliver?.({ id, outcome: { kind: 'failure', code: 'gateway_closing' }, timings: NOTHING_RAN });
  }

  /** Makes the stream if there is none, and puts off its end. */
  async #touch(): Promise<void> {
    const extended = await this.#commands.pexpire(this.key, this.#ttlMs);
    if (extended === 1) return;
    await this.#commands.multi().xadd(this.key, '*', 'open', '1').pexpire(this.key, this.#ttlMs).exec();
  }

  async #read(): Promise<void> {
    while (!this.#closed) {
      try {
        const streams = await this.#reader.xreadBuffer(
          'COUNT',
          this.#batch,
          'BLOCK',
          BLOCK_MS,
          'STREAMS',
          this.key,
          this.#lastId,
        );
        for (const [, entries] of (streams ?? []) as unknown as [Buffer, Entry[]][]) this.#take(entries);
      } catch (error) {
        if (this.#closed) return;
        this.#log.warn({ err: error }, 'replies cannot be read; trying again');
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  #take(entries: Entry[]): void {
    for (const [id, fields] of entries) {
      this.#lastId = id.toString('latin1');
      this.#readBytes += fields[3]?.length ?? 0;
      this.#deliver(fields);
    }
    if (this.#readBytes > TRIM_BYTES) this.#trim();
    else this.#trimmer ??= setTimeout(() => this.#trim(), TRIM_MS);
  }

  /** What was read is of no more use to anyone; while Redis is away it stays, and goes with the next batch. */
  #trim(): void {
    clearTimeout(this.#trimmer);
    this.#trimmer = undefined;
    this.#readBytes = 0;
    const next = this.#lastId.replace(/\d+$/, (sequence) => String(Number(sequence) + 1));
    this.#commands.xtrim(this.key, 'MINID', next).catch(() => undefined);
  }

  #deliver([headName, head, , body]: Buffer[]): void {
    if (headName?.toString() !== 'h' || !head || !body) return;
    let reply: Reply;
    try {
      reply = decodeReply(head.toString('utf8'), body);
    } catch (error) {
      this.counts.unreadable++;
      this.#log.error({ err: error }, 'a reply that cannot be read');
      return;
    }
    const deliver = this.#waiters.get(reply.id);
    this.#waiters.delete(reply.id);
    if (deliver) this.counts.delivered++;
    else this.counts.unclaimed++;
    deliver?.(reply);
  }
}
