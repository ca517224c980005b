import type { ServerResponse } from 'node:http';
import { endToEnd, type HeaderPair } from '../shared/headers.ts';
import type { RunTimings, ScriptResponse } from '../shared/reply.ts';

/** Fields that are the gateway's own; what a script sets of them is dropped. */
const OWN = new Set(['x-request-id', 'server-timing', 'idempotency-replayed', 'lc500-script']);

/** Statuses that have no body: RFC 9110 sections 15.3.5, 15.3.6, 15.4.5. */
const BODILESS = new Set([204, 205, 304]);

/**
 * Sends a script's answer as the script set it; framing, request id and timing are the gateway's.
 *
 * Header names keep their case, order and repeats. A HEAD answer tells the length of the body that it leaves out.
 */
export function sendResponse(
  res: ServerResponse,
  response: ScriptResponse,
  own: readonly HeaderPair[],
): void {
  const headers = endToEnd(response.headers).filter(([name]) => !OWN.has(name.toLowerCase()));
  const hasBody = !BODILESS.has(response.status);
  const framing: HeaderPair[] = hasBody ? [['Content-Length', String(response.body.length)]] : [];
  res.writeHead(response.status, [...headers, ...own, ...framing].flat());
  res.end(hasBody ? response.body : undefined);
}

/**
 * `Server-Timing`, milliseconds (https://www.w3.org/TR/server-timing/). `queue` is what the runner did not
 * account for, so it needs no agreement between the clocks of two machines.
 */
export function serverTiming(total: number, run: RunTimings | undefined): string {
  const {
    prepare,
    isolate,
    script,
    total: inRunner,
  } = run ?? { prepare: 0, isolate: 0, script: 0, total: 0 };
  const queue = run ? Math.max(0, total - inRunner) : 0;
  return Object.entries({ queue, prepare, isolate, script, total })
    .map(([name, duration]) => `${name};dur=${duration.toFixed(2)}`)
    .join(', ');
}

/**
 * `LC500-Script: stale;age=12` when the script could not be confirmed by the storage for so many seconds; else
 * nothing. A structured field (RFC 9651). Not `Warning`, which RFC 9111 (5.5) has withdrawn, nor `Cache-Status`
 * (RFC 9211), which speaks of the answer: that one is made anew.
 */
export function staleness(run: RunTimings | undefined): HeaderPair[] {
  if (run?.staleScript === undefined) return [];
  return [['LC500-Script', `stale;age=${Math.round(run.staleScript / 1000)}`]];
}
