import type { Socket } from 'node:net';
import { Redis, type RedisOptions } from 'ioredis';
import { timeOutCommands } from './command-timeout.ts';
import { LC500Error } from './errors.ts';
import { giveUpWhenDead } from './liveness.ts';
import type { Logger } from './log.ts';

/** First tries come quickly, and none later than this: recovery is wanted within 2 s of Redis's return. */
const RECONNECT_MAX_MS = 500;

/**
 * Seconds of silence after which a connection counts as dead. A patient one sends its commands again on the next
 * connection, and would do so twice if Redis was only frozen, so it waits for longer.
 */
const SILENT_S = { failFast: 3, patient: 6 };

const common = {
  lazyConnect: true,
  connectTimeout: 5000,
  retryStrategy: (times: number) => Math.min(50 * times, RECONNECT_MAX_MS),
} satisfies RedisOptions;

/**
 * For whoever must know at once that Redis is away: a command fails instead of waiting for it.
 * A command that Redis does not answer (frozen, paused) fails after `timeoutMs`.
 */
export function connectFailFast(url: string, log: Logger, timeoutMs = 900): Redis {
  const redis = new Redis(url, {
    ...common,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  });
  timeOutCommands(redis, timeoutMs);
  return watch(redis, log, SILENT_S.failFast);
}

/** For whoever has nothing better to do than wait: commands stay queued until Redis is back. */
export function connectPatient(url: string, log: Logger): Redis {
  return watch(new Redis(url, { ...common, maxRetriesPerRequest: null }), log, SILENT_S.patient);
}

/** One log record when Redis goes away and one when it is back, not one per attempt. */
function watch(redis: Redis, log: Logger, silentSeconds: number): Redis {
  let away = false;
  giveUpWhenDead(redis, silentSeconds);
  redis.on('connect', () => writeOncePerTurn(redis.stream));
  redis.on('error', (error) => {
    if (!away) log.warn({ err: error }, 'Redis is away; reconnecting');
    away = true;
  });
  redis.on('ready', () => {
    if (away) log.info('Redis is back');
    away = false;
  });
  return redis;
}

/**
 * All commands of one turn of the event loop leave with one system call: on loopback and in a datacentre that call,
 * with the waking of whoever reads, costs more than making the command.
 */
function writeOncePerTurn(stream: Socket): void {
  const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
  let isCorked = false;
  stream.write = (...args: unknown[]): boolean => {
    if (!isCorked) {
      isCorked = true;
      stream.cork();
      setImmediate(() => {
        isCorked = false;
        stream.uncork();
      });
    }
    return write(...args);
  };
}

/** Connects, and keeps trying until Redis answers. */
export async function connectWhenThere(redis: Redis): Promise<void> {
  if (redis.status === 'wait') redis.connect().catch(() => undefined);
  if (redis.status === 'ready') return;
  await new Promise<void>((resolve, reject) => {
    redis.once('ready', resolve);
    redis.once('end', () =>
      reject(new LC500Error('queue_unavailable', 'the connection to Redis was closed')),
    );
  });
}

/**
 * BullMQ loses jobs when Redis evicts keys, so any other policy is refused; and said as an error to the log where
 * Redis comes back with another one later.
 * A Redis that does not let `CONFIG` be read (managed ones) is trusted.
 *
 * @throws LC500Error `queue_unavailable` with the command that mends it
 */
export async function requireNoEviction(redis: Redis, log: Logger): Promise<void> {
  const problem = await evictionProblem(redis, log);
  if (problem !== undefined) throw new LC500Error('queue_unavailable', problem);
  redis.on('ready', () => {
    evictionProblem(redis, log).then(
      (changed) => changed !== undefined && log.error(changed),
      // It has gone again; this comes again with it.
      () => undefined,
    );
  });
}

async function evictionProblem(redis: Redis, log: Logger): Promise<string | undefined> {
  const memory = await redis.info('memory');
  const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1];
  if (policy === 'noeviction') return undefined;
  if (policy !== undefined)
    return (
      `Redis has maxmemory-policy ${policy} and would drop queued requests; mend it with: ` +
      `redis-cli CONFIG SET maxmemory-policy noeviction`
    );
  log.warn('Redis does not tell its maxmemory-policy; it must be noeviction');
  return undefined;
}
