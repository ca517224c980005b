import { asyncRecordKey } from '../../shared/async-location.ts';
import { LC500Error } from '../../shared/errors.ts';
import { replyIdOf } from '../../shared/invocation.ts';
import { isRedisFilling } from '../../shared/redis-filling.ts';
import { enqueue, isNotTaken } from '../enqueue.ts';
import { orUnavailable } from '../or-unavailable.ts';
import type { Accepted, AsyncDispatcher, AsyncInvocation } from './dispatch-async.ts';

/** What the log says. */
export const NOT_RECORDED = 'the request was not recorded';

/** The record comes first: a job without one is not run (runner/once.ts). Both are there before anybody is told. */
export async function accept(
  dispatcher: AsyncDispatcher,
  invocation: AsyncInvocation,
): Promise<Accepted & { readonly isAnothers: false }> {
  const { records, config, asyncQueue } = dispatcher;
  const { hostname, deadline, replyTo, idempotencyRecord } = invocation;
  const id = replyIdOf(invocation);
  const { locationId } = invocation.async;
  const key = asyncRecordKey(config.QUEUE_PREFIX, hostname, locationId);
  const slackMs = Math.ceil(config.ASYNC_RETENTION_HOURS * 3_600_000);
  const claim = { id, fingerprint: '', deadline, replyTo, slackMs };
  let wasSent = false;
  try {
    await refuseWithoutRoom(dispatcher);
    await orUnavailable(records.claim(key, claim), NOT_RECORDED);
    wasSent = true;
    await enqueue(dispatcher, asyncQueue, invocation);
  } catch (error) {
    const mayRun = wasSent && !isNotTaken(error);
    // With a key it goes on: its client may come back for it.
    if (mayRun && idempotencyRecord !== undefined) throw error;
    if (mayRun) void dispatcher.abandonAsync(invocation, 'not confirmed by Redis');
    await records.release(key, id).catch(() => undefined);
    if (idempotencyRecord !== undefined) await records.release(idempotencyRecord, id).catch(() => undefined);
    throw error;
  }
  return { locationId, isAnothers: false };
}

/** @throws LC500Error `overloaded` or `queue_unavailable` */
async function refuseWithoutRoom({ asyncQueue, redis, config }: AsyncDispatcher): Promise<void> {
  const looks = Promise.all([asyncQueue.getWaitingCount(), isRedisFilling(redis)]);
  const [waiting, isFilling] = await orUnavailable(looks, NOT_RECORDED);
  if (waiting >= config.ASYNC_MAX_WAITING)
    throw new LC500Error('overloaded', 'too many asynchronous requests wait already');
  if (isFilling)
    throw new LC500Error('overloaded', 'Redis has too little memory left for answers to be kept');
}
