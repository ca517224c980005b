import type { Queue } from 'bullmq';
import { LC500Error } from '../shared/errors.ts';
import type { IdempotencyRecords, Known } from '../shared/idempotency.ts';
import { replyIdOf, type Invocation } from '../shared/invocation.ts';
import type { Outcome, Reply, RunTimings } from '../shared/reply.ts';
import { dispatch, type Dispatcher } from './dispatch.ts';
import { isNotTaken } from './enqueue.ts';
import { orUnavailable } from './or-unavailable.ts';
import { fingerprintOf } from './idempotency-key.ts';
import { KeyHolder } from './key-holder.ts';

/** Who waits for another's answer looks again this often: the word may be lost, or the other may be dead. */
const LOOK_AGAIN_MS = 1000;
/** Three times before it counts as dead. */
const HOLD_AGAIN_MS = 1000;

export interface OnceDispatcher extends Dispatcher {
  readonly asyncQueue: Queue;
  readonly records: IdempotencyRecords;
}

/** What became of a request that was dispatched. */
export interface Dispatched {
  readonly outcome: Outcome;
  /** The runner's, if it ran the script for this request. */
  readonly timings?: RunTimings;
  /** Whether the outcome is that of another request with the same `Idempotency-Key`. */
  readonly replayed: boolean;
}

/** One request with a key: itself, what it asks for, and the end of its client's interest. */
interface KeyedRequest {
  readonly invocation: Invocation & { readonly idempotencyRecord: string };
  readonly fingerprint: string;
  readonly signal: AbortSignal;
}

/**
 * Dispatches an invocation unless its `Idempotency-Key` has been used: then the outcome is the stored one, or that
 * of the invocation that is under way, as soon as it comes. Where that one never ends, because gateway or job were
 * lost, this one takes its place.
 *
 * @param signal the client has gone. An invocation with a key goes on: its answer may be asked for again
 * @throws LC500Error `idempotency_key_reused`, `queue_unavailable` or `deadline_exceeded`
 */
export async function dispatchOnce(
  dispatcher: OnceDispatcher,
  invocation: Invocation,
  signal: AbortSignal,
): Promise<Dispatched> {
  signal.throwIfAborted();
  const { idempotencyRecord } = invocation;
  if (idempotencyRecord === undefined)
    return { ...(await dispatch(dispatcher, invocation, signal)), replayed: false };
  const fingerprint = fingerprintOf(invocation.request);
  const request = { invocation: { ...invocation, idempotencyRecord }, fingerprint, signal };
  const found = await outcomeOfAnother(dispatcher, request);
  if (found) return { outcome: found, replayed: true };
  return { ...(await dispatchClaimed(dispatcher, request)), replayed: false };
}

/** @returns `undefined` when the key is this request's: it has to be run */
async function outcomeOfAnother(
  dispatcher: OnceDispatcher,
  request: KeyedRequest,
): Promise<Outcome | undefined> {
  const holder = new KeyHolder([dispatcher.queue, dispatcher.asyncQueue]);
  for (;;) {
    const found = await claimOrWait(dispatcher, request, holder);
    if (found) return found === 'claimed' ? undefined : found;
    stopWhenOver(dispatcher, request);
  }
}

/** @returns `undefined`: nothing is known yet, look again */
async function claimOrWait(
  dispatcher: OnceDispatcher,
  request: KeyedRequest,
  holder: KeyHolder,
): Promise<Outcome | 'claimed' | undefined> {
  const { invocation, signal } = request;
  const { promise, resolve } = Promise.withResolvers<Reply | undefined>();
  const wake = (): void => resolve(undefined);
  const overtake = await holder.lost();
  // Before the claim is tried: the answer can come as soon as this request is entered among those that wait.
  const forget = dispatcher.replies.expect(replyIdOf(invocation), resolve);
  const timer = setTimeout(wake, Math.min(LOOK_AGAIN_MS, invocation.deadline - dispatcher.clock.now()));
  signal.addEventListener('abort', wake, { once: true });
  try {
    const known = await claim(dispatcher, request, overtake);
    if (known.state === 'done')
      return known.outcome ?? { kind: 'failure', code: 'idempotency_answer_too_large' };
    if (known.state !== 'running') return 'claimed';
    holder.note(known.holder);
    const reply = await promise;
    if (!reply) return undefined;
    const code = reply.outcome.kind === 'failure' ? reply.outcome.code : undefined;
    if (code === 'gateway_closing') throw new LC500Error(code);
    // The holder's time may be up long before that of the request that waits for it; then the key is free.
    return code === 'deadline_exceeded' ? undefined : reply.outcome;
  } finally {
    forget();
    clearTimeout(timer);
    signal.removeEventListener('abort', wake);
  }
}

async function claim(
  { records }: OnceDispatcher,
  { invocation, fingerprint }: KeyedRequest,
  overtake: string | undefined,
): Promise<Known> {
  const { deadline, replyTo, idempotencyRecord } = invocation;
  const id = replyIdOf(invocation);
  const wanted = { id, fingerprint, deadline, replyTo, overtake };
  const known = await orUnavailable(records.claim(idempotencyRecord, wanted), 'the key was not looked up');
  if (known.state === 'reused') throw new LC500Error('idempotency_key_reused');
  return known;
}

function stopWhenOver({ clock }: Dispatcher, { invocation, signal }: KeyedRequest): void {
  if (signal.aborted) throw new LC500Error('deadline_exceeded', 'the client has gone');
  if (clock.now() >= invocation.deadline)
    throw new LC500Error('deadline_exceeded', 'the request with the same key is still under way');
}

/**
 * While it waits here for its turn it has no job, so it tells those who wait for it that it is there. If it never
 * comes to have one (it was refused, its client or its time has gone), or Redis does not take it, the key is free, so
 * that the client may try again at once. Where nobody knows whether the job was taken, the key stays with it: it may
 * be running.
 */
async function dispatchClaimed(
  dispatcher: OnceDispatcher,
  { invocation, signal }: KeyedRequest,
): Promise<Reply> {
  const { records } = dispatcher;
  const [key, id] = [invocation.idempotencyRecord, replyIdOf(invocation)];
  let hasStarted = false;
  const holding = setInterval(() => void records.hold(key, id).catch(() => undefined), HOLD_AGAIN_MS);
  const onStart = (): void => {
    hasStarted = true;
    clearInterval(holding);
  };
  try {
    return await dispatch(dispatcher, invocation, signal, onStart);
  } catch (error) {
    if (!hasStarted || isNotTaken(error)) await records.release(key, id).catch(() => undefined);
    throw error;
  } finally {
    clearInterval(holding);
  }
}
