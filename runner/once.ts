import type { Config } from '../shared/config.ts';
import { errorKind } from '../shared/errors.ts';
import type { IdempotencyRecords, Known } from '../shared/idempotency.ts';
import { replyIdOf, type Invocation } from '../shared/invocation.ts';
import type { Outcome } from '../shared/reply.ts';
import { isReplyStream } from './belongings.ts';
import type { Publisher } from './publisher.ts';

export interface OnceContext {
  readonly config: Config;
  readonly publisher: Publisher;
  readonly records: IdempotencyRecords;
}

/**
 * Runs an invocation so that its `Idempotency-Key` gets one outcome; one without a key is just run.
 *
 * The outcome is stored before anybody hears of it. A runner that dies in between leaves a job that comes again and
 * is answered from the store; one that comes back late finds its outcome refused and replies with the stored one.
 *
 * @param run must not throw
 * @returns `undefined` when nobody is to get an outcome: `run` gave none, or the key is no longer this invocation's
 */
export async function once<R extends { readonly outcome: Outcome }>(
  context: OnceContext,
  invocation: Invocation,
  run: () => Promise<R | undefined>,
): Promise<R | { readonly outcome: Outcome } | undefined> {
  const { idempotencyRecord: key } = invocation;
  if (key === undefined) return run();
  const id = replyIdOf(invocation);
  const known = await context.records.begin(key, id);
  if (known.state !== 'claimed') return stored(known);
  const result = await run();
  if (!result) return undefined;
  if (await settleRecord(context, invocation, result.outcome)) return result;
  return stored(await context.records.begin(key, id));
}

/**
 * Stores an invocation's outcome under its key, or frees the key, and tells those who wait for it.
 *
 * Kept is what the script itself brought about, its answer or its failure: run again it would do all of it a
 * second time. Everything else (storage, blueprint, a lost runner, a missing script, the deadline) says nothing of
 * the request, so the key is free and the client may try again with it.
 *
 * @returns false when the key is no longer this invocation's
 */
export async function settleRecord(
  { config, records, publisher }: OnceContext,
  invocation: Invocation,
  outcome: Outcome,
): Promise<boolean> {
  const { deadline, idempotencyRecord: key } = invocation;
  if (key === undefined) return true;
  const isVerdict = outcome.kind === 'response' || errorKind(outcome.code).fault === 'tenant';
  const keepMs = isVerdict ? Math.ceil(config.IDEMPOTENCY_HOURS * HOUR_MS) : 0;
  const limits = { keepMs, maxBytes: config.IDEMPOTENCY_MAX_BYTES };
  const waiting = await records.settle(key, replyIdOf(invocation), outcome, limits);
  for (const { id: waiter, replyTo } of waiting ?? [])
    if (isReplyStream(replyTo, config.QUEUE_PREFIX))
      publisher.publish({ replyTo, deadline }, { id: waiter, outcome, timings: NOT_ITS_OWN });
  return waiting !== undefined;
}

const HOUR_MS = 3_600_000;
const NOT_ITS_OWN = { prepare: 0, isolate: 0, script: 0, total: 0 };

function stored(known: Known): { outcome: Outcome } | undefined {
  if (known.state !== 'done') return undefined;
  return { outcome: known.outcome ?? { kind: 'failure', code: 'idempotency_answer_too_large' } };
}
