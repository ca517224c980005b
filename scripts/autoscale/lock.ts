import type { Redis } from 'ioredis';
import { nanoid } from 'nanoid';

const RENEW = `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`;
const RELEASE = `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`;
const WRITE = `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return 1`;

/** Whoever holds the lock may act only this much shorter than it lasts: clocks do not run quite alike. */
const MARGIN = 0.8;

/**
 * A lock in Redis that expires, so that of several autoscalers one acts. What is acted on (Heroku, processes)
 * cannot tell an old holder from a new one, so the holder itself stops in time: it counts the lock's time from
 * before it asked for it, and every action ends when that is over. What goes to Redis is fenced by the lock's
 * token.
 */
export class ExpiringLock {
  readonly #redis: Redis;
  readonly #key: string;
  readonly #ttlMs: number;
  readonly #token = nanoid();
  #holdsUntil = -Infinity;

  constructor(redis: Redis, key: string, ttlMs: number) {
    this.#redis = redis;
    this.#key = key;
    this.#ttlMs = ttlMs;
  }

  /** Milliseconds for which this process may act; 0 when it may not. */
  get left(): number {
    return Math.max(0, this.#holdsUntil - performance.now());
  }

  /** Takes the lock, or makes it last. @returns whether this process holds it */
  async hold(): Promise<boolean> {
    const asked = performance.now();
    const renewed = await this.#redis.eval(RENEW, 1, this.#key, this.#token, this.#ttlMs);
    const holds =
      renewed === 1 || (await this.#redis.set(this.#key, this.#token, 'PX', this.#ttlMs, 'NX')) === 'OK';
    this.#holdsUntil = holds ? asked + MARGIN * this.#ttlMs : -Infinity;
    return holds;
  }

  /** Sets a key that expires, if this process still holds the lock. */
  async write(key: string, value: string, ttlMs: number): Promise<void> {
    await this.#redis.eval(WRITE, 2, this.#key, key, this.#token, value, ttlMs);
  }

  /** Gives it back, so that the next need not wait for its end. */
  async release(): Promise<void> {
    this.#holdsUntil = -Infinity;
    await this.#redis.eval(RELEASE, 1, this.#key, this.#token);
  }
}
