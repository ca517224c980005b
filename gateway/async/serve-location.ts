import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AsyncEndings } from '../../shared/async-endings.ts';
import { asyncRecordKey, locationOf, parseLocation } from '../../shared/async-location.ts';
import { errorKind, LC500Error } from '../../shared/errors.ts';
import type { HeaderPair } from '../../shared/headers.ts';
import { decodeInvocation, replyIdOf } from '../../shared/invocation.ts';
import type { Abandon } from '../abandon.ts';
import { sendProblem } from '../errors.ts';
import { orUnavailable } from '../or-unavailable.ts';
import { hostnameOf, originForm } from '../request.ts';
import { sendResponse } from '../response.ts';
import { NOT_LOOKED_UP, readLocation, type LocationSource, type LocationState } from './location-state.ts';

export interface LocationServer extends LocationSource {
  readonly abandonAsync: Abandon;
  readonly asyncEndings: AsyncEndings;
}

/** Seconds until it makes sense to ask again. */
const ASK_AGAIN: HeaderPair = ['Retry-After', '1'];
const NEVER_CACHED: HeaderPair = ['Cache-Control', 'no-store'];

/**
 * lc500's own paths at a tenant's hostname.
 *
 *     GET    …/invocations/<id>          the state, JSON
 *     GET    …/invocations/<id>/answer   the answer as the request itself would have got it
 *     DELETE …/invocations/<id>          calls off what is not done, and forgets what is
 *
 * @param requestId of the request that asks
 * @param own `X-Request-Id` and the like, for that request or the one named
 * @throws LC500Error
 */
export async function serveLocation(
  server: LocationServer,
  req: IncomingMessage,
  res: ServerResponse,
  requestId: string,
  own: (requestId?: string) => HeaderPair[],
): Promise<void> {
  const hostname = hostnameOf(req);
  const location = parseLocation(originForm(req.url ?? '/'));
  if (!location) throw new LC500Error('invocation_not_found');
  const { locationId, isAnswer } = location;
  const isRead = req.method === 'GET' || req.method === 'HEAD';
  if (!isRead && (req.method !== 'DELETE' || isAnswer)) {
    const allowed: HeaderPair = ['Allow', isAnswer ? 'GET, HEAD' : 'GET, HEAD, DELETE'];
    return sendProblem(res, 'method_not_allowed', requestId, [allowed, ...own()]);
  }
  const found = await orUnavailable(readLocation(server, hostname, locationId), NOT_LOOKED_UP);
  if (!found) throw new LC500Error('invocation_not_found');
  if (!isRead) {
    await orUnavailable(remove(server, hostname, locationId, found), NOT_LOOKED_UP);
    sendResponse(res, { status: 204, headers: [], body: Buffer.alloc(0) }, own());
  } else if (isAnswer) sendAnswer(res, found, own);
  else sendState(res, 200, locationId, found, own());
}

/** 202: the request was accepted (RFC 9110 section 15.3.3, RFC 7240 section 4.1). */
export function sendAccepted(res: ServerResponse, locationId: string, own: readonly HeaderPair[]): void {
  sendState(res, 202, locationId, { state: 'waiting' }, [['Location', locationOf(locationId)], ...own]);
}

function sendState(
  res: ServerResponse,
  status: number,
  locationId: string,
  found: { readonly state: 'waiting' | 'running' } | LocationState,
  own: readonly HeaderPair[],
): void {
  const state = {
    state: found.state,
    ...('outcome' in found ? verdictOf(found.outcome) : {}),
    self: locationOf(locationId),
    answer: `${locationOf(locationId)}/answer`,
  };
  const headers: HeaderPair[] = [['Content-Type', 'application/json'], NEVER_CACHED];
  if (found.state !== 'done') headers.push(ASK_AGAIN);
  sendResponse(res, { status, headers, body: Buffer.from(`${JSON.stringify(state)}\n`) }, own);
}

/** Of the answer, what tells whether it is worth fetching. */
function verdictOf(outcome: Extract<LocationState, { state: 'done' }>['outcome']) {
  if (outcome.kind === 'response') return { status: outcome.response.status };
  return { status: errorKind(outcome.code).status, code: outcome.code };
}

function sendAnswer(
  res: ServerResponse,
  found: LocationState,
  own: (requestId?: string) => HeaderPair[],
): void {
  if (found.state !== 'done') throw new LC500Error('invocation_pending');
  const { outcome, id } = found;
  if (outcome.kind === 'response') sendResponse(res, outcome.response, own(id));
  else sendProblem(res, outcome.code, id, own(id));
}

async function remove(
  { config, records, asyncQueue, abandonAsync, asyncEndings }: LocationServer,
  hostname: string,
  locationId: string,
  found: LocationState,
): Promise<void> {
  const job = found.state === 'done' ? undefined : await asyncQueue.getJob(found.id);
  // Without its record it is not begun any more.
  await records.remove(asyncRecordKey(config.QUEUE_PREFIX, hostname, locationId));
  if (!job) return;
  const { idempotencyRecord, ...invocation } = decodeInvocation(job.data);
  if (idempotencyRecord !== undefined) await records.release(idempotencyRecord, replyIdOf(invocation));
  await abandonAsync(invocation, 'called off at its location');
  asyncEndings.count('called_off');
}
