import type { Redis } from 'ioredis';
import type { ErrorCode } from './errors.ts';

/** How an asynchronous request can end. `called_off`: its client has deleted its location before. */
export type AsyncEnding = ErrorCode | 'ok' | 'called_off';

/**
 * How many asynchronous requests have ended how, in all of the deployment: runners count what gateways show. A
 * runner that dies between an outcome and its count leaves one out.
 */
export class AsyncEndings {
  readonly #redis: Redis;
  readonly #key: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#key = `${prefix}:async-endings`;
  }

  /** Nobody waits for it. */
  count(ending: AsyncEnding): void {
    this.#redis.hincrby(this.#key, ending, 1).catch(() => undefined);
  }

  async read(): Promise<readonly (readonly [ending: string, count: number])[]> {
    const counts = await this.#redis.hgetall(this.#key);
    return Object.entries(counts).map(([ending, count]) => [ending, Number(count)] as const);
  }
}
