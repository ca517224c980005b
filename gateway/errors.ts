import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorKind, type ErrorCode } from '../shared/errors.ts';
import type { HeaderPair } from '../shared/headers.ts';

/**
 * The one place where an error becomes HTTP: `application/problem+json` (RFC 9457). It names the error and the
 * request, and nothing of the inside.
 */
export function problem(
  code: ErrorCode,
  requestId: string,
): { status: number; headers: HeaderPair[]; body: string } {
  const { status, title, retryAfter } = errorKind(code);
  const body = JSON.stringify({ type: `urn:lc500:error:${code}`, title, status, code, requestId });
  const headers: HeaderPair[] = [
    ['Content-Type', 'application/problem+json'],
    ['Cache-Control', 'no-store'],
  ];
  if (retryAfter !== undefined) headers.push(['Retry-After', String(retryAfter)]);
  return { status, headers, body };
}

export function sendProblem(
  res: ServerResponse,
  code: ErrorCode,
  requestId: string,
  own: readonly HeaderPair[],
): void {
  const { status, headers, body } = problem(code, requestId);
  // The rest of a body that was refused is not read, so the connection cannot be used again.
  if (!res.req.complete) headers.push(['Connection', 'close']);
  res.writeHead(status, [...headers, ...own, ['Content-Length', String(Buffer.byteLength(body))]].flat());
  res.end(body);
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
}
