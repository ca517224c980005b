import { predictWait } from './predicted-wait.ts';
import type { TenantLine, TenantLines } from './tenant-lines.ts';

/** Why a request is not let in. */
export interface Refusal {
  readonly code: 'overloaded' | 'tenant_overloaded';
  /** Until the backlog will have cleared far enough, seconds. */
  readonly retryAfter: number;
  /** Predicted, milliseconds. */
  readonly waitMs: number;
}

export interface Situation {
  readonly lines: TenantLines;
  readonly pace: number;
  /** Whether other tenants want sandboxes. */
  readonly isContended: boolean;
  /** Until the request's deadline, milliseconds. */
  readonly leftMs: number;
  /** `TENANT_WAIT_MS`. */
  readonly tenantWaitMs: number;
}

/** Predictions err: one that takes up this part of the deadline is taken for one that passes it. */
const SAFE_PART = 0.8;
/** A tenant may always let two of its own runs wait, however long they are. */
const OWN_RUNS = 2;

/**
 * Whether a request may wait for a sandbox, by how long it would.
 *
 * Alone, a tenant may use everything, and wait as long as its requests' deadlines allow. While others want
 * sandboxes, a tenant that brings much more work than they do on the mean may not wait for long behind itself: it has had
 * its share. Nobody is let in who would wait past the deadline.
 */
export function refusalOf(line: TenantLine, situation: Situation): Refusal | undefined {
  const { lines, pace, isContended, leftMs, tenantWaitMs } = situation;
  const allowedMs = Math.max(0, SAFE_PART * leftMs - line.meanMs);
  const shareMs = isContended ? Math.max(tenantWaitMs, OWN_RUNS * line.meanMs) : Infinity;
  const limitMs = Math.min(allowedMs, shareMs);
  // As if it had to wait for all others' work. Nearly always that is soon enough, and it costs nothing to know.
  if (lines.workMs <= limitMs * pace) return undefined;
  const waitMs = predictWait(line, lines.othersWaiting(line), pace);
  if (waitMs <= limitMs) return undefined;
  const isBeyondShare = isContended && lines.isAboveOthers(line);
  if (waitMs > shareMs && isBeyondShare) return refusal('tenant_overloaded', waitMs, limitMs);
  if (waitMs <= allowedMs) return undefined;
  return refusal(isBeyondShare ? 'tenant_overloaded' : 'overloaded', waitMs, allowedMs);
}

/** A backlog clears at one second a second. */
function refusal(code: Refusal['code'], waitMs: number, limitMs: number): Refusal {
  return { code, waitMs, retryAfter: Math.max(1, Math.ceil((waitMs - limitMs) / 1000)) };
}
