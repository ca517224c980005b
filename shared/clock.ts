import type { Redis } from 'ioredis';

const MEASURE_EVERY_MS = 30_000;
const SAMPLES = 5;

/**
 * Redis's clock, so that a deadline set on one machine means the same on another.
 *
 * The offset is measured with `TIME` (https://redis.io/docs/latest/commands/time/), taking the sample with
 * the shortest round trip, and again every 30 s because clocks drift and are set.
 */
export class RedisClock {
  readonly #redis: Redis;
  readonly #local: () => number;
  #offset = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param local this machine's clock, milliseconds since the epoch: steady, but it may be wrong by any amount */
  constructor(redis: Redis, local = (): number => performance.timeOrigin + performance.now()) {
    this.#redis = redis;
    this.#local = local;
  }

  /** Measures once, and from then on regularly. */
  async start(): Promise<void> {
    await this.#measure();
    // While Redis is away the last offset stays in force.
    this.#timer = setInterval(() => void this.#measure().catch(() => undefined), MEASURE_EVERY_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Milliseconds since the epoch by Redis's clock. */
  now(): number {
    return this.#local() + this.#offset;
  }

  async #measure(): Promise<void> {
    let best = Infinity;
    for (let i = 0; i < SAMPLES; i++) {
      const before = this.#local();
      const [seconds, micros] = (await this.#redis.time()).map(Number) as [number, number];
      const roundTrip = this.#local() - before;
      if (roundTrip >= best) continue;
      best = roundTrip;
      this.#offset = seconds * 1000 + micros / 1000 - (before + roundTrip / 2);
    }
  }
}
