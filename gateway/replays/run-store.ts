import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { Config } from '../../shared/config.ts';
import { runKeyOf } from '../../shared/records/record-keys.ts';
import { REPLAY_WAIT_MS, type ReplayOrder } from './start-replay.ts';

const orderSchema = z.object({
  script: z.union([z.enum(['original', 'current']), z.object({ source: z.string() })]),
  blueprint: z.enum(['original', 'fresh']),
  unsafe: z.boolean(),
  /** Replays begun a second. */
  rate: z.number().positive(),
});

export type RunOrder = Omit<ReplayOrder, 'again'> & { readonly rate: number };

/** A replay of many at one moment. */
export interface Run {
  readonly order: RunOrder;
  readonly state: 'running' | 'done' | 'stopped';
  /** Records that it was to replay, those that were begun, skipped, and have ended. */
  readonly total: number;
  readonly begun: number;
  readonly skipped: number;
  readonly done: number;
  /** How many, by error code, `answered` and `skipped:<reason>`. */
  readonly outcomes: Readonly<Record<string, number>>;
}

/** The next of a run: its place among all, and the record. */
export interface Next {
  readonly place: number;
  readonly of: string;
}

const HOUR_MS = 3_600_000;
const AT_ONCE = 1000;
const OUTCOME = 'outcome:';

/**
 * Replays of many, in Redis, so that any gateway can go on with one whose gateway died: a hash with the order and the
 * counts (runners count what has ended, record-scripts.ts), a list of the records that are left, and a set of the
 * runs that are to be driven.
 */
export class RunStore {
  readonly #redis: Redis;
  readonly #keepMs: number;
  readonly #key: (id: string) => string;
  readonly #active: string;

  constructor(redis: Redis, config: Pick<Config, 'QUEUE_PREFIX' | 'FAILED_RETENTION_HOURS'>) {
    this.#redis = redis;
    this.#keepMs = Math.ceil(Math.max(24, config.FAILED_RETENTION_HOURS) * HOUR_MS);
    this.#key = (id) => runKeyOf(config.QUEUE_PREFIX, id);
    this.#active = runKeyOf(config.QUEUE_PREFIX, 'active');
  }

  /** @param ids of records, in the order in which they are to be replayed */
  async create(id: string, order: RunOrder, ids: readonly string[]): Promise<void> {
    const batch = this.#redis.multi();
    batch.hset(this.#key(id), { order: JSON.stringify(order), total: ids.length, state: 'running' });
    batch.pexpire(this.#key(id), this.#keepMs);
    for (let i = 0; i < ids.length; i += AT_ONCE) batch.rpush(this.#todo(id), ...ids.slice(i, i + AT_ONCE));
    batch.pexpire(this.#todo(id), this.#keepMs);
    batch.sadd(this.#active, id);
    await batch.exec();
  }

  async get(id: string): Promise<Run | undefined> {
    const [fields, left] = await Promise.all([
      this.#redis.hgetall(this.#key(id)),
      this.#redis.llen(this.#todo(id)),
    ]);
    if (!fields['order']) return undefined;
    const count = (name: string): number => Number(fields[name] ?? 0);
    const outcomes = Object.entries(fields)
      .filter(([name]) => name.startsWith(OUTCOME))
      .map(([name, value]) => [name.slice(OUTCOME.length), Number(value)] as const);
    const [begun, done] = [count('begun'), count('done')];
    // A replay whose outcome never came, because Redis did not take it, ends with its deadline.
    const isOver = left === 0 && (done >= begun || Date.now() > count('begunAt') + REPLAY_WAIT_MS);
    const state = fields['state'] === 'stopped' ? 'stopped' : isOver ? 'done' : 'running';
    const order = orderSchema.parse(JSON.parse(fields['order']));
    const skipped = count('skipped');
    return {
      order,
      state,
      total: count('total'),
      begun,
      skipped,
      done,
      outcomes: Object.fromEntries(outcomes),
    };
  }

  async next(id: string): Promise<Next | undefined> {
    const [place, of] = await Promise.all([
      this.#redis.hget(this.#key(id), 'next'),
      this.#redis.lindex(this.#todo(id), 0),
    ]);
    return of === null ? undefined : { place: Number(place ?? 0), of };
  }

  /** The first of those that are left has been begun, or was skipped for a reason. */
  async advance(id: string, { of }: Next, reason?: string): Promise<void> {
    const key = this.#key(id);
    const batch = this.#redis.multi();
    // Nothing is left to be taken out when the run was stopped in the meantime.
    batch.lrem(this.#todo(id), 1, of);
    batch.hincrby(key, 'next', 1);
    if (reason === undefined) batch.hincrby(key, 'begun', 1).hset(key, 'begunAt', Date.now());
    else batch.hincrby(key, 'skipped', 1).hincrby(key, `${OUTCOME}skipped:${reason}`, 1);
    await batch.exec();
  }

  async stop(id: string): Promise<void> {
    await this.#redis.multi().hset(this.#key(id), 'state', 'stopped').del(this.#todo(id)).exec();
    await this.forget(id);
  }

  /** Ids of the runs that somebody has to drive. */
  active(): Promise<string[]> {
    return this.#redis.smembers(this.#active);
  }

  /** Nobody has to drive it any more. */
  async forget(id: string): Promise<void> {
    await this.#redis.srem(this.#active, id);
  }

  /** @returns whether this driver, and no other, drives the run for the next so many milliseconds */
  async hold(id: string, driver: string, holdMs: number): Promise<boolean> {
    const key = `${this.#key(id)}:driver`;
    if ((await this.#redis.set(key, driver, 'PX', holdMs, 'NX')) !== null) return true;
    if ((await this.#redis.get(key)) !== driver) return false;
    return (await this.#redis.pexpire(key, holdMs)) === 1;
  }

  async letGo(id: string, driver: string): Promise<void> {
    const key = `${this.#key(id)}:driver`;
    if ((await this.#redis.get(key)) === driver) await this.#redis.del(key);
  }

  #todo(id: string): string {
    return `${this.#key(id)}:todo`;
  }
}
