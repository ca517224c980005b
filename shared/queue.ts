import type { Job, JobsOptions, WorkerOptions } from 'bullmq';

/** Name of the BullMQ queue; with the deployment's prefix it makes the keys `<prefix>:invocations:…`. */
export const QUEUE_NAME = 'invocations';

/**
 * Name of the queue for asynchronous requests. One of their own, because their scripts may run for long: a runner
 * takes only so many of them that they never hold all of its sandboxes.
 */
export const ASYNC_QUEUE_NAME = 'async-invocations';

/** Name of the queue for what tenants are to be told of their asynchronous requests. */
export const CALLBACK_QUEUE_NAME = 'callbacks';

/** Name of the jobs in the first two. */
export const JOB_NAME = 'invocation';

/**
 * A job is never retried by the queue: whether an invocation may be run again is decided by its method.
 * What was answered, and what failed and was recorded, is gone at once; what could not be recorded stays, bounded
 * by age and count.
 */
export const JOB_OPTIONS = {
  attempts: 1,
  removeOnComplete: true,
  removeOnFail: { age: 7 * 24 * 3600, count: 1000 },
  stackTraceLimit: 1,
} as const satisfies JobsOptions;

/** Jobs without a priority, which are the live ones, come before all that have one (BullMQ, "Prioritized"). */
export const REPLAY_PRIORITY = 10;

/**
 * How runners take jobs. A dead runner's jobs are noticed within lock + check interval, 4 s; a second more is to
 * spare for timers that come late. Noticed twice, a job is failed and not run a third time.
 */
export const WORKER_OPTIONS = {
  removeOnComplete: { count: 0 },
  removeOnFail: JOB_OPTIONS.removeOnFail,
  lockDuration: 3000,
  stalledInterval: 1000,
  maxStalledCount: 1,
  runRetryDelay: 500,
} as const satisfies Omit<WorkerOptions, 'connection'>;

/** Redis key of a job. */
export function jobKeyOf(prefix: string, { queueName, id }: Pick<Job, 'queueName' | 'id'>): string {
  return `${prefix}:${queueName}:${id}`;
}

/** Redis key of the stream that only this gateway reads. */
export function replyStreamKey(prefix: string, gatewayId: string): string {
  return replyStreamsBelow(prefix) + gatewayId;
}

/** What all those keys begin with. */
export function replyStreamsBelow(prefix: string): string {
  return `${prefix}:replies:`;
}

/** What the Redis keys of `Idempotency-Key`s' records begin with. */
export function idempotencyKeysBelow(prefix: string): string {
  return `${prefix}:idempotency:`;
}

/** Redis key of the sorted set of gateways: member is the key of the gateway's reply stream, score its last beat. */
export function gatewaysKey(prefix: string): string {
  return `${prefix}:gateways`;
}

/** Redis key of the sorted set of runners: member is the runner's id, score the time of its last heartbeat. */
export function runnersKey(prefix: string): string {
  return `${prefix}:runners`;
}

/** Redis key of what a runner tells of itself; it expires like the runner's heartbeat. */
export function runnerStateKey(prefix: string, runnerId: string): string {
  return `${prefix}:runner:${runnerId}`;
}

/** Redis key of the autoscaler's last decision; it expires when the autoscaler is gone. */
export function autoscalerKey(prefix: string): string {
  return `${prefix}:autoscaler`;
}

/** A runner beats this often, and counts as gone when nothing was heard of it for three times as long. */
export const HEARTBEAT_MS = 1000;
export const HEARTBEAT_EXPIRES_MS = 3 * HEARTBEAT_MS;
