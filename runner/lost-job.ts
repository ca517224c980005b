import { UnrecoverableError, type Job } from 'bullmq';
import type { RedisClock } from '../shared/clock.ts';
import { decodeInvocation, replyIdOf } from '../shared/invocation.ts';
import type { Logger } from '../shared/log.ts';
import { foreignPart } from './belongings.ts';
import type { Callbacks } from './callbacks/callbacks.ts';
import { settleRecords, type OnceContext } from './once.ts';
import type { Publisher } from './publisher.ts';

/** An invocation that failed and was replied to; BullMQ keeps the job. */
export class InvocationFailed extends UnrecoverableError {}

const NOTHING_RAN = { prepare: 0, isolate: 0, script: 0, total: 0 };

/**
 * Replies to an invocation that the queue itself gave up: its runners died under it more often than BullMQ's
 * `maxStalledCount` allows, and no runner is given it again.
 */
export async function replyToLostJob(
  context: OnceContext & {
    readonly publisher: Publisher;
    readonly callbacks: Callbacks;
    readonly clock: RedisClock;
    readonly log: Logger;
  },
  job: Job | undefined,
  error: Error,
): Promise<void> {
  if (!job || error instanceof InvocationFailed) return;
  const { log, publisher, clock, config } = context;
  try {
    const invocation = decodeInvocation(job.data);
    const foreign = foreignPart(invocation, job.id, clock.now(), config);
    if (foreign !== undefined) throw new Error(`not an invocation of this deployment: ${foreign}`);
    const { id, hostname } = invocation;
    log.error(
      { requestId: id, tenant: hostname, code: 'runner_lost', reason: error.message },
      'invocation given up',
    );
    const outcome = { kind: 'failure', code: 'runner_lost' } as const;
    await settleRecords(context, invocation, outcome);
    const { async } = invocation;
    if (async) await context.callbacks.announce({ ...invocation, async });
    publisher.publish(invocation, { id: replyIdOf(invocation), outcome, timings: NOTHING_RAN });
  } catch (cause) {
    log.error(
      { err: cause, job: job.id, reason: error.message },
      'a job that is not an invocation was given up',
    );
  }
}
