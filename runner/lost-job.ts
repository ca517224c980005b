import { UnrecoverableError, type Job } from 'bullmq';
import type { Redis } from 'ioredis';
import { decodeInvocation } from '../shared/invocation.ts';
import type { Logger } from '../shared/log.ts';
import { publishReply } from './publisher.ts';

/** An invocation that failed and was replied to; BullMQ keeps the job. */
export class InvocationFailed extends UnrecoverableError {}

const NOTHING_RAN = { prepare: 0, isolate: 0, script: 0, total: 0 };

/**
 * Replies to an invocation that the queue itself gave up: its runners died under it more often than BullMQ's
 * `maxStalledCount` allows, and no runner is given it again.
 */
export async function replyToLostJob(
  redis: Redis,
  log: Logger,
  job: Job | undefined,
  error: Error,
): Promise<void> {
  if (!job || error instanceof InvocationFailed) return;
  try {
    const { id, hostname, replyTo } = decodeInvocation(job.data);
    log.error(
      { requestId: id, tenant: hostname, code: 'runner_lost', reason: error.message },
      'invocation given up',
    );
    await publishReply(redis, replyTo, {
      id,
      outcome: { kind: 'failure', code: 'runner_lost' },
      timings: NOTHING_RAN,
    });
  } catch (cause) {
    log.error(
      { err: cause, job: job.id, reason: error.message },
      'a job that is not an invocation was given up',
    );
  }
}
