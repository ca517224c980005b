import type { AsyncEndings } from '../shared/async-endings.ts';
import { asyncRecordKey } from '../shared/async-location.ts';
import type { RedisClock } from '../shared/clock.ts';
import type { Config } from '../shared/config.ts';
import { errorKind } from '../shared/errors.ts';
import type { IdempotencyRecords, Known } from '../shared/idempotency.ts';
import { replyIdOf, type Invocation } from '../shared/invocation.ts';
import type { Outcome } from '../shared/reply.ts';
import { isReplyStream } from './belongings.ts';
import type { Publisher } from './publisher.ts';
import { untilThereIsRoom } from './redis-room.ts';

export interface OnceContext {
  readonly config: Config;
  readonly publisher: Publisher;
  readonly records: IdempotencyRecords;
  readonly asyncEndings: AsyncEndings;
  readonly clock: RedisClock;
}

/** A record that keeps an invocation's outcome. */
interface Place {
  readonly key: string;
  /** How long this outcome is kept, milliseconds; 0: not at all. */
  readonly keepMs: (outcome: Outcome) => number;
  readonly maxBytes: number;
  /** It is a location's: an outcome in it is the end of an asynchronous request. */
  readonly isLocation: boolean;
}

type Settled = { readonly outcome: Outcome };

/**
 * Runs an invocation so that its `Idempotency-Key` and its location, if it is an asynchronous one, get one outcome;
 * one with neither is just run.
 *
 * The outcome is stored before anybody hears of it. A runner that dies in between leaves a job that comes again and
 * is answered from the store; one that comes back late finds its outcome refused and replies with the stored one.
 *
 * @param run throws only where the job goes back to the queue; its records then stay this invocation's
 * @returns `undefined` when nobody is to get an outcome: `run` gave none, or a record is no longer this invocation's
 */
export function once<R extends Settled>(
  context: OnceContext,
  invocation: Invocation,
  run: () => Promise<R | undefined>,
): Promise<R | Settled | undefined> {
  let runAll: () => Promise<R | Settled | undefined> = run;
  for (const place of placesOf(context.config, invocation)) {
    const inner = runAll;
    runAll = () => onceIn(context, invocation, place, inner);
  }
  return runAll();
}

async function onceIn<R extends Settled>(
  context: OnceContext,
  invocation: Invocation,
  place: Place,
  run: () => Promise<R | undefined>,
): Promise<R | Settled | undefined> {
  const known = await begin(context, invocation, place);
  if (known.state !== 'claimed') return stored(known);
  const result = await run();
  if (!result) return undefined;
  if (await settleIn(context, invocation, place, result.outcome)) return result;
  return stored(await begin(context, invocation, place));
}

function begin({ records, clock }: OnceContext, invocation: Invocation, { key }: Place): Promise<Known> {
  return untilThereIsRoom(
    () => records.begin(key, replyIdOf(invocation)),
    () => clock.now() > invocation.deadline,
  );
}

/** Stores an invocation's outcome in its records, or frees its key, and tells those who wait for it. */
export async function settleRecords(
  context: OnceContext,
  invocation: Invocation,
  outcome: Outcome,
): Promise<void> {
  for (const place of placesOf(context.config, invocation))
    await settleIn(context, invocation, place, outcome);
}

/** @returns false when the record is no longer this invocation's */
async function settleIn(
  { config, records, publisher, asyncEndings, clock }: OnceContext,
  invocation: Invocation,
  { key, keepMs, maxBytes, isLocation }: Place,
  outcome: Outcome,
): Promise<boolean> {
  const { deadline } = invocation;
  const keeping = { keepMs: keepMs(outcome), maxBytes, isPromised: isLocation };
  const waiting = await untilThereIsRoom(
    () => records.settle(key, replyIdOf(invocation), outcome, keeping),
    () => clock.now() > deadline,
  );
  for (const { id: waiter, replyTo } of waiting ?? [])
    if (isReplyStream(replyTo, config.QUEUE_PREFIX))
      publisher.publish({ replyTo, deadline }, { id: waiter, outcome, timings: NOT_ITS_OWN });
  if (waiting && isLocation) asyncEndings.count(outcome.kind === 'response' ? 'ok' : outcome.code);
  return waiting !== undefined;
}

const NOWHERE: readonly Place[] = [];

/** The location comes first: a key whose answer is known must not lead to a location that has none. */
function placesOf(config: Config, { hostname, idempotencyRecord, async }: Invocation): readonly Place[] {
  if (idempotencyRecord === undefined && async === undefined) return NOWHERE;
  const places: Place[] = [];
  if (async) {
    const key = asyncRecordKey(config.QUEUE_PREFIX, hostname, async.locationId);
    const keepMs = Math.ceil(config.ASYNC_RETENTION_HOURS * HOUR_MS);
    // Whatever became of it was promised to be told.
    places.push({ key, keepMs: () => keepMs, maxBytes: Infinity, isLocation: true });
  }
  if (idempotencyRecord !== undefined)
    places.push({
      key: idempotencyRecord,
      keepMs: (outcome) => (isVerdict(outcome) ? Math.ceil(config.IDEMPOTENCY_HOURS * HOUR_MS) : 0),
      maxBytes: config.IDEMPOTENCY_MAX_BYTES,
      isLocation: false,
    });
  return places;
}

/**
 * What the script itself brought about, its answer or its failure: run again it would do all of it a second time.
 * Everything else (storage, blueprint, a lost runner, a missing script, the deadline) says nothing of the request, so
 * the client may try again with its key.
 */
function isVerdict(outcome: Outcome): boolean {
  return outcome.kind === 'response' || errorKind(outcome.code).fault === 'tenant';
}

const HOUR_MS = 3_600_000;
const NOT_ITS_OWN = { prepare: 0, isolate: 0, script: 0, total: 0 };

function stored(known: Known): Settled | undefined {
  if (known.state !== 'done') return undefined;
  return { outcome: known.outcome ?? { kind: 'failure', code: 'idempotency_answer_too_large' } };
}
