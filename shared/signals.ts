import type { Redis } from 'ioredis';
import { readHeld } from './held-requests.ts';
import { ASYNC_QUEUE_NAME, QUEUE_NAME, runnersKey, runnerStateKey } from './queue.ts';
import { decodeRunnerState, type RunnerState } from './runner-state.ts';

/** Queue and runners at one moment. Times in milliseconds. */
export interface QueueSignals {
  /** Redis's clock. */
  readonly at: number;
  /** Requests that no runner has taken yet: in the queue, and held back by gateways. */
  readonly waiting: number;
  /** Requests that a runner has taken and no sandbox yet. */
  readonly inHand: number;
  /** Requests that a runner has taken, in a sandbox or not. */
  readonly active: number;
  /** Asynchronous requests that wait or run. They are in none of the other figures but `busy`. */
  readonly asynchronous: number;
  /** Age of the oldest request that no runner has taken; 0 when there is none. */
  readonly oldestWaitMs: number;
  /** Requests that have ever come, a counter. */
  readonly arrived: number;
  /** Mean time in a sandbox of late; `undefined`: nothing was run. */
  readonly serviceMs: number | undefined;
  readonly runners: number;
  readonly sandboxes: number;
  readonly busy: number;
}

/** Fewer runs than this (older ones count less) tell nothing of the time that they took. */
const FEWEST_RUNS = 0.01;

/**
 * Reads the signals: two or three round trips and a few cheap commands, whatever the length of the queue.
 *
 * Arrivals need no counting of our own: BullMQ counts the jobs it ever added in `<prefix>:<queue>:id`, also those
 * that bring an id. A job's age is by its gateway's clock.
 */
export async function readSignals(redis: Redis, prefix: string): Promise<QueueSignals> {
  const key = (name: string): string => `${prefix}:${QUEUE_NAME}:${name}`;
  const { seconds, micros, counts, oldest, runnerIds } = await first(redis, prefix, key);
  const at = seconds * 1000 + micros / 1000;
  const [added, states, held] = await Promise.all([
    oldest === null ? null : redis.hget(key(oldest), 'timestamp'),
    readStates(redis, prefix, runnerIds),
    readHeld(redis, prefix),
  ]);
  const sum = (figure: (state: RunnerState) => number): number =>
    states.reduce((total, state) => total + figure(state), 0);
  const runs = sum((state) => state.runs);
  return {
    at,
    ...counts,
    waiting: counts.waiting + held.count,
    inHand: sum((state) => state.waiting),
    oldestWaitMs: Math.max(held.oldestMs, added === null ? 0 : at - Number(added)),
    serviceMs: runs > FEWEST_RUNS ? sum((state) => state.busyMs) / runs : undefined,
    runners: states.length,
    sandboxes: sum((state) => state.sandboxes),
    busy: sum((state) => state.busy),
  };
}

/** The runners that take jobs, as they tell of themselves. */
export async function readRunners(redis: Redis, prefix: string): Promise<RunnerState[]> {
  return readStates(redis, prefix, await redis.zrangebyscore(runnersKey(prefix), '-inf', '+inf'));
}

async function first(redis: Redis, prefix: string, key: (name: string) => string) {
  const answers = await Promise.all([
    redis.time(),
    redis.llen(key('wait')),
    redis.zcard(key('prioritized')),
    redis.llen(key('active')),
    redis.llen(`${prefix}:${ASYNC_QUEUE_NAME}:wait`),
    redis.llen(`${prefix}:${ASYNC_QUEUE_NAME}:active`),
    redis.get(key('id')),
    // Jobs are put in on the left and taken out on the right.
    redis.lindex(key('wait'), -1),
    redis.zrangebyscore(runnersKey(prefix), '-inf', '+inf'),
  ]);
  const [time, wait, prioritized, active, asyncWait, asyncActive, id, oldest, runnerIds] = answers;
  const [seconds = 0, micros = 0] = time.map(Number);
  const counts = {
    waiting: wait + prioritized,
    active,
    asynchronous: asyncWait + asyncActive,
    arrived: Number(id ?? 0),
  };
  return { seconds, micros, counts, oldest, runnerIds };
}

/** A state expires with its runner's heartbeat, so whoever has one is alive. */
async function readStates(redis: Redis, prefix: string, ids: readonly string[]): Promise<RunnerState[]> {
  if (ids.length === 0) return [];
  const texts = await redis.mget(ids.map((id) => runnerStateKey(prefix, id)));
  return texts
    .map((text) => (text === null ? undefined : decodeRunnerState(text)))
    .filter((state) => state !== undefined);
}
