import type { Config } from '../shared/config.ts';
import { LC500Error } from '../shared/errors.ts';
import type { Invocation } from '../shared/invocation.ts';
import type { RecordStore } from '../shared/records/record-store.ts';
import type { InvocationRecord, Replay } from '../shared/records/record.ts';
import { restoreHeaders } from '../shared/records/sealed-headers.ts';
import { EMPTY_BLUEPRINT, type Blueprint, type BlueprintSource } from './blueprint.ts';

export interface ReplayContext {
  readonly config: Config;
  readonly store: RecordStore;
  readonly blueprints: BlueprintSource;
}

/** A replay with all that it needs. */
export interface Restored {
  readonly invocation: Invocation;
  readonly blueprints: BlueprintSource;
}

/**
 * A replay's job names the record that it replays and does not hold the request: body, headers that are secret,
 * and the blueprint as it was come out of the record when it is run.
 *
 * @throws LC500Error `internal_error` when the record, or a part of it, is gone by now
 */
export async function restoreReplay(
  { config, store, blueprints }: ReplayContext,
  invocation: Invocation,
  replay: Replay,
): Promise<Restored> {
  const original = await store.get(replay.of);
  if (original?.tenant !== invocation.hostname) throw gone(`the record ${replay.of}`);
  const body = await store.part(original.id, 'request', original.request.body);
  if (!body) throw gone('the request body');
  const { method, url } = original.request;
  const headers = restoreHeaders(original.request, config.RECORD_KEY, original.id);
  const restored = { ...invocation, request: { method, url, headers, body } };
  if (replay.blueprint === 'fresh') return { invocation: restored, blueprints };
  const blueprint = await blueprintOf(store, original);
  return { invocation: restored, blueprints: { ...blueprints, fetch: () => Promise.resolve(blueprint) } };
}

async function blueprintOf(store: RecordStore, original: InvocationRecord): Promise<Blueprint> {
  if (original.blueprintKey === null) return EMPTY_BLUEPRINT;
  const body = original.blueprint && (await store.part(original.id, 'blueprint', original.blueprint.body));
  if (!original.blueprint || !body) throw gone('the blueprint');
  return { status: original.blueprint.status, headers: original.blueprint.headers, body };
}

function gone(what: string): LC500Error {
  return new LC500Error('internal_error', `cannot be replayed: ${what} is gone`);
}
