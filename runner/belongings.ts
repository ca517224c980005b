import type { Config } from '../shared/config.ts';
import type { Invocation } from '../shared/invocation.ts';
import { VERSIONS_PREFIX } from '../shared/records/record-bucket.ts';
import { idempotencyKeysBelow, replyStreamsBelow } from '../shared/queue.ts';

/** A deadline later than this is not one of ours; timers cannot count much further. */
const MAX_TIME_MS = 24 * 3600 * 1000;

/** What `parseHost` gives, and so the only thing that a storage key may begin with. */
const HOSTNAME = /^(?:[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*|\[[0-9a-f:.]{2,45}\])$/;
/** Rest of an object's key below its hostname; no segment is `.` or `..`. */
const OBJECT = /^(?:\/(?!\.\.?(?:\/|$))[\w.-]+)+$/;
const REST = /^[\w-]+$/;

/**
 * Whether an invocation speaks of what is its own: objects of its hostname, and keys of this deployment. A job lies
 * in Redis, where others may be able to write; a runner must not read or write for them what they cannot reach.
 *
 * @param jobId the job's own id
 * @param now Redis's clock, milliseconds
 * @returns what is not its own; `undefined` when all is well
 */
export function foreignPart(
  invocation: Invocation,
  jobId: string | undefined,
  now: number,
  { QUEUE_PREFIX: prefix, BLUEPRINT_TARGET }: Pick<Config, 'QUEUE_PREFIX' | 'BLUEPRINT_TARGET'>,
): string | undefined {
  const { id, hostname, scriptKey, blueprintKey, deadline, replyTo, idempotencyRecord } = invocation;
  if (id !== jobId) return 'id';
  if (hostname.length > 253 || !HOSTNAME.test(hostname)) return 'hostname';
  if (!isObjectOf(hostname, scriptKey) && !isVersionOf(hostname, scriptKey)) return 'scriptKey';
  if (blueprintKey !== null && !isBlueprintOf(hostname, blueprintKey, BLUEPRINT_TARGET.kind))
    return 'blueprintKey';
  if (deadline > now + MAX_TIME_MS) return 'deadline';
  if (!isReplyStream(replyTo, prefix)) return 'replyTo';
  if (idempotencyRecord !== undefined && !isBelow(idempotencyKeysBelow(prefix), idempotencyRecord))
    return 'idempotencyRecord';
  return undefined;
}

/** Whether a key is the reply stream of one of this deployment's gateways. */
export function isReplyStream(key: string, prefix: string): boolean {
  return isBelow(replyStreamsBelow(prefix), key);
}

function isObjectOf(hostname: string, key: string): boolean {
  return key.startsWith(hostname) && OBJECT.test(key.slice(hostname.length));
}

/** A version that records keep: shared/records/record-bucket.ts. */
function isVersionOf(hostname: string, key: string): boolean {
  const start = `${VERSIONS_PREFIX}${hostname}/`;
  return key.startsWith(start) && /^[0-9a-f]{64}\.js$/.test(key.slice(start.length));
}

function isBlueprintOf(hostname: string, key: string, kind: Config['BLUEPRINT_TARGET']['kind']): boolean {
  return kind === 'http' ? key.startsWith(`http://${hostname}/`) : isObjectOf(hostname, key);
}

function isBelow(start: string, key: string): boolean {
  return key.startsWith(start) && REST.test(key.slice(start.length));
}
