import { UnrecoverableError, type Job } from 'bullmq';
import { LC500Error } from '../shared/errors.ts';
import { decodeInvocation, replyIdOf, type Invocation } from '../shared/invocation.ts';
import type { Logger } from '../shared/log.ts';
import { foreignPart } from './belongings.ts';
import type { Callbacks } from './callbacks/callbacks.ts';
import { settleRecords, type OnceContext } from './once.ts';
import type { Publisher } from './publisher.ts';
import type { Recorder } from './recorder.ts';

/** An invocation that failed and was replied to. */
export class InvocationFailed extends UnrecoverableError {}

export interface LostJobContext extends OnceContext {
  readonly publisher: Publisher;
  readonly callbacks: Callbacks;
  readonly recorder: Recorder;
  readonly log: Logger;
}

const NOTHING_RAN = { prepare: 0, isolate: 0, script: 0, total: 0 };

/**
 * Replies to an invocation that the queue itself gave up: its runners died under it more often than BullMQ's
 * `maxStalledCount` allows, and no runner is given it again.
 */
export async function replyToLostJob(
  context: LostJobContext,
  job: Job | undefined,
  error: Error,
): Promise<void> {
  if (!job || error instanceof InvocationFailed) return;
  const { log, publisher, recorder, clock, config } = context;
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
    if (!invocation.replay)
      publisher.publish(invocation, { id: replyIdOf(invocation), outcome, timings: NOTHING_RAN });
    await record(recorder, job, invocation, new LC500Error('runner_lost', error.message));
  } catch (cause) {
    log.error(
      { err: cause, job: job.id, reason: error.message },
      'a job that is not an invocation was given up',
    );
  }
}

/** The job stays where no record of it could be made. */
async function record(
  recorder: Recorder,
  job: Job,
  invocation: Invocation,
  error: LC500Error,
): Promise<void> {
  const outcome = { kind: 'failure', code: error.code } as const;
  const kind = recorder.wants(invocation, outcome);
  if (!kind || (await recorder.keep(kind, job, invocation, { outcome, error }))) await job.remove();
}
