import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { RedisClock } from '../shared/clock.ts';
import { LC500Error } from '../shared/errors.ts';
import { encodeInvocation, isBodyBeside, type Invocation } from '../shared/invocation.ts';
import { dropJobBody, keepJobBody, putJobBody } from '../shared/job-body.ts';
import { JOB_NAME, JOB_OPTIONS } from '../shared/queue.ts';

/** What ioredis says when there is no connection and no offline queue. */
const NEVER_SENT = "Stream isn't writeable";
/** A body whose gateway dies before its job is there outlives the deadline by so much. */
const ORPHAN_MS = 60_000;

/** Resolves when Redis has taken the job. @throws LC500Error `queue_unavailable` */
export async function enqueue(
  deps: { readonly redis: Redis; readonly clock: RedisClock },
  queue: Queue,
  invocation: Invocation,
): Promise<void> {
  try {
    if (isBodyBeside(invocation)) await addWithBody(deps, queue, invocation);
    else await add(queue, invocation);
  } catch (error) {
    throw new LC500Error('queue_unavailable', `the job was not taken: ${String(error)}`, { cause: error });
  }
}

/** The body comes first: a job can be taken as soon as it is there. */
async function addWithBody(
  { redis, clock }: { readonly redis: Redis; readonly clock: RedisClock },
  queue: Queue,
  invocation: Invocation,
): Promise<void> {
  const { id, request, deadline } = invocation;
  const jobKey = queue.toKey(id);
  const leftMs = Math.ceil(Math.max(0, deadline - clock.now()));
  await putJobBody(redis, jobKey, request.body, leftMs + ORPHAN_MS);
  try {
    await add(queue, invocation);
  } catch (error) {
    if (isNotTaken(error)) void dropJobBody(redis, jobKey).catch(() => undefined);
    throw error;
  }
  // Only what waits for a runner past its deadline needs it, for its record.
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
