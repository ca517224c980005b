import { createHmac } from 'node:crypto';
import { locationOf } from '../../shared/async-location.ts';
import { encodeBody } from '../../shared/body.ts';
import { errorKind } from '../../shared/errors.ts';
import type { Outcome } from '../../shared/reply.ts';

/** What a callback is about. */
export interface CallbackEvent {
  readonly hostname: string;
  /** The invocation's id. */
  readonly requestId: string;
  readonly locationId: string;
  /** When the outcome was known, milliseconds since the epoch. */
  readonly at: number;
}

/** A larger body is left out: it is to be had at the location. */
const MAX_BODY_BYTES = 262_144;

/** The message's body: JSON, the same for every try. */
export function messageOf({ hostname, requestId, locationId, at }: CallbackEvent, outcome: Outcome): string {
  const location = locationOf(locationId);
  return JSON.stringify({
    type: 'invocation.done',
    timestamp: new Date(at).toISOString(),
    data: { requestId, hostname, location, answer: `${location}/answer`, ...answerOf(outcome) },
  });
}

function answerOf(outcome: Outcome) {
  if (outcome.kind === 'failure') return { status: errorKind(outcome.code).status, code: outcome.code };
  const { status, headers, body } = outcome.response;
  return { status, headers, body: body.length > MAX_BODY_BYTES ? null : encodeBody(body) };
}

/**
 * The header fields that let the receiver know who sends and that it is not sent again by somebody else. Source:
 * Standard Webhooks 1.0 (https://www.standardwebhooks.com): HMAC-SHA-256 over `id.timestamp.body`.
 *
 * @param secret `whsec_` and the key as base64
 * @param id the same for every try
 * @param now milliseconds since the epoch
 */
export function signedHeaders(secret: string, id: string, now: number, body: string): Record<string, string> {
  const timestamp = String(Math.floor(now / 1000));
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
