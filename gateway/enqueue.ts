import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { RedisClock } from '../shared/clock.ts';
import { LC500Error } from '../shared/errors.ts';
import { encodeInvocation, goesBeside, type Invocation } from '../shared/invocation.ts';
import { keepJobBody, putJobBody } from '../shared/job-body.ts';
import { JOB_NAME, JOB_OPTIONS } from '../shared/queue.ts';

interface EnqueueDeps {
  /** The connection that the queue has, too: what is sent here first is done first. */
  readonly redis: Redis;
  readonly clock: RedisClock;
}

/** What ioredis says when there is no connection and no offline queue. */
const NEVER_SENT = "Stream isn't writeable";
/** A body whose job does not come to be outlives the deadline by so much. */
const ORPHAN_MS = 60_000;

/** Resolves when Redis has taken the job. @throws LC500Error `queue_unavailable` */
export async function enqueue(deps: EnqueueDeps, queue: Queue, invocation: Invocation): Promise<void> {
  try {
    if (goesBeside(invocation)) await addWithBody(deps, queue, invocation);
    else await add(queue, invocation);
  } catch (error) {
    throw new LC500Error('queue_unavailable', `the job was not taken: ${String(error)}`, { cause: error });
  }
}

/**
 * The body is sent before its job, which can be taken as soon as it is there; nobody waits in between, or a slow Redis
 * would be waited for twice.
 */
async function addWithBody(
  { redis, clock }: EnqueueDeps,
  queue: Queue,
  invocation: Invocation,
): Promise<void> {
  const { id, request, deadline } = invocation;
  const jobKey = queue.toKey(id);
  const leftMs = Math.ceil(Math.max(0, deadline - clock.now()));
  const [put, added] = await Promise.allSettled([
    putJobBody(redis, jobKey, request.body, leftMs + ORPHAN_MS),
    add(queue, invocation),
  ]);
  if (added.status === 'rejected') {
    if (isNotTaken(added.reason)) void queue.remove(id).catch(() => undefined);
    throw added.reason;
  }
  // The job is there all the same: whoever is told that it was not confirmed takes it out again.
  if (put.status === 'rejected') throw new Error('its body was not confirmed', { cause: put.reason });
  // Needed by what waits for a runner past its deadline, and by a failed job that stays. If this is lost, so are they.
  void keepJobBody(redis, jobKey).catch(() => undefined);
}

async function add(queue: Queue, invocation: Invocation): Promise<void> {
  await queue.add(JOB_NAME, encodeInvocation(invocation), { ...JOB_OPTIONS, jobId: invocation.id });
}

/**
 * Whether a job that was not confirmed is certain not to be in the queue: Redis refused it, or it was never sent. Any
 * other failure (a time-out, a connection that broke) leaves that open.
 *
 * @param error of `enqueue`, or its cause
 */
export function isNotTaken(error: unknown): boolean {
  const cause = error instanceof LC500Error ? error.cause : error;
  if (!(cause instanceof Error)) return false;
  return cause.name === 'ReplyError' || cause.message.startsWith(NEVER_SENT);
}
