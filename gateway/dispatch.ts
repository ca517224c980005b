import type { Queue } from 'bullmq';
import type { RedisClock } from '../shared/clock.ts';
import { LC500Error } from '../shared/errors.ts';
import { encodeInvocation, replyIdOf, type Invocation } from '../shared/invocation.ts';
import { JOB_NAME, JOB_OPTIONS } from '../shared/queue.ts';
import type { Reply } from '../shared/reply.ts';
import type { Abandon } from './abandon.ts';
import { CallingOff } from './calling-off.ts';
import type { Admission } from './admission/admission.ts';
import type { Replies } from './replies.ts';

/** What ioredis says when there is no connection and no offline queue. */
const NEVER_SENT = "Stream isn't writeable";

export interface Dispatcher {
  readonly queue: Queue;
  readonly replies: Replies;
  readonly clock: RedisClock;
  readonly abandon: Abandon;
  readonly admission: Admission;
}

/**
 * Hands an invocation to the queue, when it is its tenant's turn, and waits for its reply, until the deadline at the
 * latest.
 *
 * @param signal the client has gone: nobody needs the reply, and the invocation is called off
 * @param onStart called when the job is about to be put into the queue
 * @throws LC500Error `overloaded`, `tenant_overloaded`, `queue_unavailable` or `deadline_exceeded`
 */
export async function dispatch(
  dispatcher: Dispatcher,
  invocation: Invocation,
  signal: AbortSignal,
  onStart: () => void = () => undefined,
): Promise<Reply> {
  const { replies, clock, admission } = dispatcher;
  const leftMs = invocation.deadline - clock.now();
  if (leftMs <= 0) throw new LC500Error('deadline_exceeded', 'its time was up before it was dispatched');
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  let enqueued: Promise<void> | undefined;
  const ticket = admission.enter(invocation.hostname, leftMs, () => {
    onStart();
    enqueued = enqueue(dispatcher.queue, invocation);
    // Waited for together: a reply can be here before Redis has confirmed the job.
    enqueued.catch((error: unknown) => {
      reject(error);
      // A Redis that is frozen may take the job when it goes on: this command waits there right behind it.
      void dispatcher.abandon(invocation, 'not confirmed by Redis');
    });
  });
  let sandboxMs = 0;
  const calling = new CallingOff((why) => dispatcher.abandon(invocation, why), leftMs);
  const forget = replies.expect(replyIdOf(invocation), (reply) => {
    sandboxMs = reply.timings.isolate + reply.timings.script;
    calling.replied();
    resolve(reply);
  });
  const giveUp = (): void => {
    reject(new LC500Error('deadline_exceeded', 'the client has gone'));
    calling.callOff(enqueued, 'abandoned by its client');
  };
  const giveUpLate = (): void => reject(new LC500Error('deadline_exceeded', 'no reply arrived in time'));
  const timer = setTimeout(giveUpLate, leftMs);
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    const reply = await promise;
    if (isClosing(reply)) calling.callOff(enqueued, 'abandoned by its gateway, which has to end');
    return reply;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
    calling.whenOver(() => {
      admission.leave(ticket, sandboxMs);
      forget();
    });
  }
}

/** Whether it is not a reply, but the end of this gateway. */
export function isClosing({ outcome }: Reply): boolean {
  return outcome.kind === 'failure' && outcome.code === 'gateway_closing';
}

/** Resolves when Redis has taken the job. @throws LC500Error `queue_unavailable` */
export async function enqueue(queue: Queue, invocation: Invocation): Promise<void> {
  try {
    await queue.add(JOB_NAME, encodeInvocation(invocation), { ...JOB_OPTIONS, jobId: invocation.id });
  } catch (error) {
    throw new LC500Error('queue_unavailable', `the job was not taken: ${String(error)}`, { cause: error });
  }
}

/**
 * Whether a job that `enqueue` failed for is certain not to be in the queue: Redis refused it, or it was never sent.
 * Any other failure (a time-out, a connection that broke) leaves that open.
 */
export function isNotTaken(error: unknown): boolean {
  const cause = error instanceof LC500Error ? error.cause : undefined;
  if (!(cause instanceof Error)) return false;
  return cause.name === 'ReplyError' || cause.message.startsWith(NEVER_SENT);
}
