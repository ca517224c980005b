import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { BEGIN, CLAIM, HOLD, RELEASE, SETTLE } from './idempotency-scripts.ts';
import { idempotencyKeysBelow } from './queue.ts';
import { isRedisFilling } from './redis-filling.ts';
import { decodeReply, encodeReply, type Outcome } from './reply.ts';

/** A claim outlives its invocation's deadline by this much, so that the runner that stops at it still owns it. */
const CLAIM_SLACK_MS = 2000;
/** A holder that has no job yet counts as dead when its gateway has not said for this long that it is there. */
const HELD_MS = 3000;
/** Requests that the runner itself hands the answer to; more than these find it when they look again. */
const MAX_WAITING = 16;
/** An answer that is no larger takes not much more of Redis than that there was one, bytes. */
const SMALL_BYTES = 1024;

/** How an outcome is kept. */
export interface Keeping {
  /** How long, milliseconds; 0: the key is free again. */
  readonly keepMs: number;
  /** A larger answer is not stored, but the key stays taken. */
  readonly maxBytes: number;
  /** Somebody was told that it will be there: then it is stored though Redis is filling. */
  readonly isPromised: boolean;
}

/** A request that wants to be the one that runs. */
export interface Claim {
  /** `replyIdOf` the invocation. */
  readonly id: string;
  /** What the request asks for; requests with the same key must agree in it. */
  readonly fingerprint: string;
  /** Redis's clock, milliseconds. */
  readonly deadline: number;
  /** Reply stream of the gateway. */
  readonly replyTo: string;
  /** The id of a holder that has no job: its claim is taken over, unless its gateway still holds it. */
  readonly overtake?: string | undefined;
  /** Where the answer can be got later, if it is told at once that there will be one. */
  readonly locationId?: string | undefined;
  /** How long the claim is kept after the deadline, milliseconds. */
  readonly slackMs?: number;
}

/**
 * What is known of a key. Answers too large to be stored leave a record that is done and has no outcome.
 * `locationId`: the holder is an asynchronous request.
 */
export type Known =
  | { readonly state: 'claimed' | 'reused' | 'lost' }
  | { readonly state: 'running'; readonly holder: string; readonly locationId?: string }
  | { readonly state: 'done'; readonly outcome: Outcome | undefined; readonly locationId?: string };

/** A record as one reads it who wants nothing of it. */
export interface RecordRead {
  /** `replyIdOf` the invocation that holds it. */
  readonly id: string;
  /** `undefined`: it has none yet, or one too large to be stored. */
  readonly outcome: Outcome | undefined;
}

/** Where an answer is waited for, and with which id. */
export interface Waiting {
  readonly id: string;
  readonly replyTo: string;
}

/**
 * The records of `Idempotency-Key`s, one for each tenant and key, and of asynchronous requests, one for each, in
 * Redis, each with an end.
 *
 *     free → running (held by one invocation) → done (the answer is kept)
 *       ↑        │
 *       └────────┘ failed without a verdict of the script's, or its holder was lost, or its time is up
 *
 * The gateway claims, the runner that works on the invocation settles: the answer is kept though the gateway is
 * dead by then, and a claim ends by itself when both are.
 */
export class IdempotencyRecords {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** Gives the key to this invocation if it is free; else says what is known of it, and enters who waits. */
  async claim(key: string, claim: Claim): Promise<Known> {
    const { fingerprint, id, replyTo, deadline, overtake = '', locationId = '', slackMs } = claim;
    const end = Math.ceil(deadline) + (slackMs ?? CLAIM_SLACK_MS);
    const wanted = [fingerprint, id, replyTo, end, overtake, MAX_WAITING, locationId, HELD_MS];
    return known(await this.#eval(CLAIM, key, ...wanted));
  }

  /** The invocation waits in its gateway for its turn; to be said again within `HELD_MS`. */
  async hold(key: string, id: string): Promise<void> {
    await this.#eval(HOLD, key, id, HELD_MS);
  }

  /** The invocation never came to run: the key is free again, if it is still this invocation's. */
  async release(key: string, id: string): Promise<void> {
    await this.#eval(RELEASE, key, id);
  }

  /** `undefined`: there is no such record, or none any more. */
  async read(key: string): Promise<RecordRead | undefined> {
    const [id, head, body] = await this.#redis.hmgetBuffer(key, 'id', 'head', 'body');
    if (!id) return undefined;
    const outcome = head && decodeReply(head.toString('utf8'), body ?? Buffer.alloc(0)).outcome;
    return { id: id.toString(), outcome: outcome ?? undefined };
  }

  /** Whoever holds it. */
  async remove(key: string): Promise<void> {
    await this.#redis.del(key);
  }

  /** Whether this invocation still holds the key (`claimed`), has been answered (`done`), or has `lost` it. */
  async begin(key: string, id: string): Promise<Known> {
    return known(await this.#eval(BEGIN, key, id));
  }

  /**
   * Ends the run of the invocation that holds the key.
   *
   * @returns who waits for the outcome; `undefined` when the key is not this invocation's any more
   */
  async settle(key: string, id: string, outcome: Outcome, keeping: Keeping): Promise<Waiting[] | undefined> {
    const { head, body } = encodeReply({ id, outcome, timings: UNTIMED });
    const isStored = await this.#mayStore(Buffer.byteLength(head) + body.length, keeping);
    const stored = isStored ? [head, body] : ['', ''];
    const [state, ...rest] = await this.#eval(SETTLE, key, id, keeping.keepMs, ...stored);
    if (String(state) === 'lost') return undefined;
    const waiting: Waiting[] = [];
    for (let i = 0; i + 1 < rest.length; i += 2)
      waiting.push({ id: String(rest[i]), replyTo: String(rest[i + 1]) });
    return waiting;
  }

  async #mayStore(bytes: number, { keepMs, maxBytes, isPromised }: Keeping): Promise<boolean> {
    if (bytes > maxBytes) return false;
    if (isPromised || keepMs === 0 || bytes <= SMALL_BYTES) return true;
    return !(await isRedisFilling(this.#redis));
  }

  async #eval(script: string, key: string, ...args: (string | number | Buffer)[]): Promise<Buffer[]> {
    return (await this.#redis.callBuffer('EVAL', script, 1, key, ...args)) as Buffer[];
  }
}

const UNTIMED = { prepare: 0, isolate: 0, script: 0, total: 0 };

/** Redis key of a tenant's key: hashed, so that it has one length and nothing in it can reach another's. */
export function idempotencyRecordKey(prefix: string, hostname: string, key: string): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([hostname, key]))
    .digest('base64url');
  return idempotencyKeysBelow(prefix) + digest;
}

function known([state, first, second, third]: Buffer[]): Known {
  const name = String(state) as Known['state'];
  if (name === 'running') return { state: name, holder: String(first), ...located(second) };
  if (name !== 'done') return { state: name };
  const outcome = first?.length
    ? decodeReply(first.toString('utf8'), second ?? Buffer.alloc(0)).outcome
    : undefined;
  return { state: name, outcome, ...located(third) };
}

function located(locationId: Buffer | undefined): { locationId?: string } {
  return locationId?.length ? { locationId: locationId.toString() } : {};
}
