import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { abandonedChannel, abandonedMark } from '../shared/abandonment.ts';
import { ABANDONED, type UnderWay } from './under-way.ts';

/** A message can be here before the job that it is about; it is remembered for this long. */
const REMEMBER_MS = 10_000;
const REMEMBER = 10_000;

/** What gateways say about invocations whose client has gone. */
export class Abandonments {
  readonly #subscriber: Redis;
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #underWay: UnderWay;
  readonly #early = new LRUCache<string, true>({ max: REMEMBER, ttl: REMEMBER_MS });

  /**
   * @param subscriber a patient connection of its own, already there
   * @param redis any connection
   */
  constructor(subscriber: Redis, redis: Redis, prefix: string, underWay: UnderWay) {
    this.#subscriber = subscriber;
    this.#redis = redis;
    this.#prefix = prefix;
    this.#underWay = underWay;
  }

  async start(): Promise<void> {
    this.#subscriber.on('message', (_channel, id) => this.#callOff(id));
    await this.#subscriber.subscribe(abandonedChannel(this.#prefix));
  }

  /** Aborts the controller, with `ABANDONED` as the reason, when the client had gone before the job came. */
  begin(id: string, controller: AbortController): void {
    if (this.#early.has(id)) controller.abort(ABANDONED);
  }

  /** For a job that was begun before: the runner that was told may be the one that died. */
  async recall(id: string, controller: AbortController): Promise<void> {
    if ((await this.#redis.exists(abandonedMark(this.#prefix, id))) === 1) controller.abort(ABANDONED);
  }

  #callOff(id: string): void {
    const run = this.#underWay.get(id);
    if (run) run.controller.abort(ABANDONED);
    else this.#early.set(id, true);
  }
}
