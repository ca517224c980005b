import { nanoid } from 'nanoid';
import { setTimeout as delay } from 'node:timers/promises';
import { asyncRecordKey, LOCATION_ID_LENGTH } from '../../shared/async-location.ts';
import type { Config } from '../../shared/config.ts';
import { LC500Error } from '../../shared/errors.ts';
import type { Known } from '../../shared/idempotency.ts';
import { replyIdOf, type AsyncTerms, type Invocation } from '../../shared/invocation.ts';
import type { Outcome, Reply } from '../../shared/reply.ts';
import type { Abandon } from '../abandon.ts';
import { dispatchOnce, type Dispatched, type OnceDispatcher } from '../dispatch-once.ts';
import { isClosing } from '../dispatch.ts';
import { fingerprintOf } from '../idempotency-key.ts';
import { KeyHolder } from '../key-holder.ts';
import { orUnavailable } from '../or-unavailable.ts';
import { accept, NOT_RECORDED } from './accept.ts';
import { NOT_LOOKED_UP, readLocation } from './location-state.ts';

export interface AsyncDispatcher extends OnceDispatcher {
  readonly config: Config;
  readonly abandonAsync: Abandon;
}

/** The answer comes later, at this location. */
export interface Accepted {
  readonly locationId: string;
}

export type AsyncInvocation = Invocation & { readonly async: AsyncTerms };

/** How long a gateway that waits for another one's job lets pass before it looks again. */
const LOOK_AGAIN_MS = 200;

/**
 * Dispatches an invocation whose client is content to fetch the answer later.
 *
 *     record claimed → job in the queue → (reply, when it comes within `waitMs`) → answer
 *                                       → else accepted: from here on the runners see to it, whatever dies
 *
 * A request whose `Idempotency-Key` was used for an asynchronous one is accepted at the same location. One whose key
 * belongs to a request that was not asynchronous gets that one's answer, as without the preference.
 *
 * @param given as an ordinary request's; its deadline is replaced
 * @param signal the client has gone. Before it was told the location, that calls the invocation off
 * @throws LC500Error `queue_unavailable`, `idempotency_key_reused`, `deadline_exceeded`
 */
export async function dispatchAsync(
  dispatcher: AsyncDispatcher,
  given: Invocation,
  waitMs: number,
  signal: AbortSignal,
): Promise<Dispatched | Accepted> {
  signal.throwIfAborted();
  const invocation = asyncInvocation(dispatcher, given, waitMs);
  const reply = Promise.withResolvers<Reply>();
  const forget = dispatcher.replies.expect(replyIdOf(invocation), reply.resolve);
  try {
    const begun = await begin(dispatcher, invocation, signal);
    if (begun !== undefined) {
      if ('replayed' in begun) return begun;
      if (begun.known && waitMs > 0) return { outcome: begun.known, replayed: true };
      const early = await within(waitMs, reply.promise, signal);
      if (early && !isClosing(early))
        return { outcome: early.outcome, timings: early.timings, replayed: begun.isAnothers };
      if (signal.aborted) {
        if (!begun.isAnothers) await callOff(dispatcher, invocation);
        throw new LC500Error('deadline_exceeded', 'the client has gone');
      }
      return { locationId: begun.locationId };
    }
  } finally {
    forget();
  }
  return dispatchOnce(dispatcher, given, signal);
}

function asyncInvocation(
  { config, clock }: AsyncDispatcher,
  given: Invocation,
  waitMs: number,
): AsyncInvocation {
  const now = clock.now();
  const terms = { locationId: nanoid(LOCATION_ID_LENGTH), waitUntil: now + waitMs };
  return { ...given, deadline: now + config.ASYNC_DEADLINE_MS, async: terms };
}

type Begun = Dispatched | (Accepted & { readonly isAnothers: boolean; readonly known?: Outcome });

/** @returns `undefined`: the key is held by a request that is not asynchronous */
async function begin(
  dispatcher: AsyncDispatcher,
  invocation: AsyncInvocation,
  signal: AbortSignal,
): Promise<Begun | undefined> {
  const { idempotencyRecord: key } = invocation;
  if (key === undefined) return accept(dispatcher, invocation);
  const holder = new KeyHolder([dispatcher.queue, dispatcher.asyncQueue]);
  for (;;) {
    const known = await claimKey(dispatcher, key, invocation, await holder.lost());
    if (known.state === 'claimed') return accept(dispatcher, invocation);
    const begun = await beginWith(dispatcher, invocation, known);
    if (begun !== 'look again') return begun;
    if (known.state === 'running') holder.note(known.holder);
    await delay(LOOK_AGAIN_MS, undefined, { signal });
  }
}

/** What another request with the same key makes of this one. */
async function beginWith(
  dispatcher: AsyncDispatcher,
  { hostname }: AsyncInvocation,
  known: Known,
): Promise<Begun | undefined | 'look again'> {
  if (known.state !== 'running' && known.state !== 'done') return 'look again';
  const { locationId } = known;
  if (locationId !== undefined) {
    // Its gateway may not have come to the job yet, or have died before: only what has a job is sure to be done.
    const state = await orUnavailable(readLocation(dispatcher, hostname, locationId), NOT_LOOKED_UP);
    const isSure = state !== undefined && !('isLost' in state);
    if (isSure) return { locationId, isAnothers: true, ...('outcome' in state && { known: state.outcome }) };
    if (known.state === 'running') return 'look again';
  }
  if (known.state === 'running') return undefined;
  const outcome = known.outcome ?? ({ kind: 'failure', code: 'idempotency_answer_too_large' } as const);
  return { outcome, replayed: true };
}

async function claimKey(
  { records }: AsyncDispatcher,
  key: string,
  invocation: AsyncInvocation,
  overtake: string | undefined,
): Promise<Known> {
  const { deadline, replyTo, request } = invocation;
  const id = replyIdOf(invocation);
  const { locationId } = invocation.async;
  const claim = { id, fingerprint: fingerprintOf(request), deadline, replyTo, overtake, locationId };
  const known = await orUnavailable(records.claim(key, claim), NOT_RECORDED);
  if (known.state === 'reused') throw new LC500Error('idempotency_key_reused');
  return known;
}

/** The reply, unless time or the client's patience ends before it comes. */
async function within(
  waitMs: number,
  reply: Promise<Reply>,
  signal: AbortSignal,
): Promise<Reply | undefined> {
  if (waitMs === 0 || signal.aborted) return undefined;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const end = (): void => resolve(undefined);
  const timer = setTimeout(end, waitMs);
  signal.addEventListener('abort', end, { once: true });
  try {
    return await Promise.race([reply, promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}

/** Nobody knows its location. With an `Idempotency-Key` it goes on: its client may come back for it. */
async function callOff(
  { abandonAsync, records, config }: AsyncDispatcher,
  invocation: AsyncInvocation,
): Promise<void> {
  if (invocation.idempotencyRecord !== undefined) return;
  await abandonAsync(invocation, 'abandoned by its client');
  const key = asyncRecordKey(config.QUEUE_PREFIX, invocation.hostname, invocation.async.locationId);
  await records.remove(key).catch(() => undefined);
}
