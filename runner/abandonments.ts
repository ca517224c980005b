import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { abandonedChannel, abandonedMark } from '../shared/abandonment.ts';

/** A message can be here before the job that it is about; it is remembered for this long. */
const REMEMBER_MS = 10_000;
const REMEMBER = 10_000;

/** Why an invocation is ended whose client has gone. */
export const ABANDONED = new Error('the client has gone');

/** The invocations of this runner, and what gateways say about those whose client has gone. */
export class Abandonments {
  readonly #subscriber: Redis;
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #running = new Map<string, AbortController>();
  readonly #early = new LRUCache<string, true>({ max: REMEMBER, ttl: REMEMBER_MS });

  /**
   * @param subscriber a patient connection of its own, already there
   * @param redis any connection
   */
  constructor(subscriber: Redis, redis: Redis, prefix: string) {
    this.#subscriber = subscriber;
    this.#redis = redis;
    this.#prefix = prefix;
  }

  async start(): Promise<void> {
    this.#subscriber.on('message', (_channel, id) => this.#callOff(id));
    await this.#subscriber.subscribe(abandonedChannel(this.#prefix));
  }

  /**
   * Aborts the controller, with `ABANDONED` as the reason, when the invocation's client goes or has gone.
   *
   * @returns ends the watch
   */
  watch(id: string, controller: AbortController): () => void {
    this.#running.set(id, controller);
    if (this.#early.has(id)) controller.abort(ABANDONED);
    return () => {
      if (this.#running.get(id) === controller) this.#running.delete(id);
    };
  }

  /** For a job that was begun before: the runner that was told may be the one that died. */
  async recall(id: string, controller: AbortController): Promise<void> {
    if ((await this.#redis.exists(abandonedMark(this.#prefix, id))) === 1) controller.abort(ABANDONED);
  }

  #callOff(id: string): void {
    const controller = this.#running.get(id);
    if (controller) controller.abort(ABANDONED);
    else this.#early.set(id, true);
  }
}
