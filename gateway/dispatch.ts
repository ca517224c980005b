import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { RedisClock } from '../shared/clock.ts';
import { LC500Error } from '../shared/errors.ts';
import { replyIdOf, type Invocation } from '../shared/invocation.ts';
import type { Reply } from '../shared/reply.ts';
import type { Abandon } from './abandon.ts';
import { CallingOff } from './calling-off.ts';
import type { Admission } from './admission/admission.ts';
import { enqueue } from './enqueue.ts';
import type { Replies } from './replies.ts';

export interface Dispatcher {
  /** The gateway's connection for commands. */
  readonly redis: Redis;
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
    enqueued = enqueue(dispatcher, dispatcher.queue, invocation);
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
