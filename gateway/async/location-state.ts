import type { Queue } from 'bullmq';
import { asyncRecordKey } from '../../shared/async-location.ts';
import type { Config } from '../../shared/config.ts';
import type { IdempotencyRecords } from '../../shared/idempotency.ts';
import { requestIdOf } from '../../shared/invocation.ts';
import type { Outcome } from '../../shared/reply.ts';

export interface LocationSource {
  readonly config: Config;
  readonly records: IdempotencyRecords;
  readonly asyncQueue: Queue;
}

/**
 * How far an asynchronous request has come; `id` is its invocation's.
 *
 *     waiting → running → done
 *
 * `isLost`: it has neither a job nor an outcome. Either its gateway is about to make the job, or the job was lost
 * with what Redis had not yet written down.
 */
export type LocationState = { readonly id: string } & (
  | { readonly state: 'waiting' | 'running' }
  | { readonly state: 'done'; readonly outcome: Outcome; readonly isLost?: true }
);

/** What the log says where Redis did not answer. */
export const NOT_LOOKED_UP = 'the location was not looked up';
const LOST: Outcome = { kind: 'failure', code: 'runner_lost' };

/** @returns `undefined` when there is no such location at this hostname, or none any more */
export async function readLocation(
  { config, records, asyncQueue }: LocationSource,
  hostname: string,
  locationId: string,
): Promise<LocationState | undefined> {
  const key = asyncRecordKey(config.QUEUE_PREFIX, hostname, locationId);
  const found = await records.read(key);
  if (!found) return undefined;
  const { outcome } = found;
  const id = requestIdOf(found.id);
  if (outcome) return { id, state: 'done', outcome };
  const job = await asyncQueue.getJobState(id);
  if (job === 'active') return { id, state: 'running' };
  if (job === 'waiting' || job === 'prioritized' || job === 'delayed') return { id, state: 'waiting' };
  // The outcome is stored before the job ends, so it is there by now if the job has ended in order.
  const again = await records.read(key);
  if (!again) return undefined;
  if (again.outcome) return { id, state: 'done', outcome: again.outcome };
  return { id, state: 'done', outcome: LOST, isLost: true };
}
