import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorKind, type ErrorCode } from '../shared/errors.ts';
import type { HeaderPair } from '../shared/headers.ts';

const LINGER_MS = 1000;

/**
 * The one place where an error becomes HTTP: `application/problem+json` (RFC 9457). It names the error and the
 * request, and nothing of the inside.
 */
function problem(
  code: ErrorCode,
  requestId: string,
  retryAfter = errorKind(code).retryAfter,
): { status: number; headers: HeaderPair[]; body: string } {
  const { status, title } = errorKind(code);
  const body = JSON.stringify({ type: `urn:lc500:error:${code}`, title, status, code, requestId });
  const headers: HeaderPair[] = [
    ['Content-Type', 'application/problem+json'],
    ['Cache-Control', 'no-store'],
  ];
  if (retryAfter !== undefined) headers.push(['Retry-After', String(retryAfter)]);
  return { status, headers, body };
}

/** @param retryAfter seconds, where it is known better than by the code */
export function sendProblem(
  res: ServerResponse,
  code: ErrorCode,
  requestId: string,
  own: readonly HeaderPair[],
  retryAfter?: number,
): void {
  const { status, headers, body } = problem(code, requestId, retryAfter);
  const framing: HeaderPair[] = [['Content-Length', String(Buffer.byteLength(body))]];
  if (res.req.complete) {
    res.writeHead(status, [...headers, ...own, ...framing].flat());
    res.end(body);
    return;
  }
  // The rest of a body that was refused is of no interest, so the connection cannot be used again.
  const others = own.filter(([name]) => name !== 'Connection');
  res.writeHead(status, [...headers, ...others, ...framing, ['Connection', 'close']].flat());
  res.write(body);
  closeLingering(res);
}

/**
 * Ends a connection on which the client may still be sending. Closing at once would reset it, and the client
 * would lose the answer; so what comes is thrown away for a while (RFC 9112 section 9.6).
 */
function closeLingering(res: ServerResponse): void {
  const timer = setTimeout(() => res.end(), LINGER_MS);
  res.req.once('close', () => clearTimeout(timer));
  res.req.once('end', () => res.end());
  res.req.resume();
}

/** For what Node's parser refused: there is a socket and no request. */
export function sendProblemRaw(socket: Duplex, code: ErrorCode, requestId: string): void {
  const { status, headers, body } = problem(code, requestId);
  const lines = [
    ...headers,
    ['X-Request-Id', requestId],
    ['Connection', 'close'],
    ['Content-Length', body.length],
  ];
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...lines.map(([name, value]) => `${name}: ${value}`),
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  // Node looks no more after a connection that it has given up, and the client may never close its side.
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}
