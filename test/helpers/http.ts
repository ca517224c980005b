import { request as httpRequest, type Agent } from 'node:http';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { headerValues, toPairs, type HeaderPair } from '../../shared/headers.ts';

export interface RequestOptions {
  readonly hostname: string;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: readonly HeaderPair[];
  readonly body?: string | Buffer;
  readonly agent?: Agent;
  /** The client goes: its connection is closed. */
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly headers: readonly HeaderPair[];
  /** The field's first value. */
  header(name: string): string | undefined;
  readonly body: Buffer;
  readonly text: string;
  json(): unknown;
}

/** Nothing that is asked in a test may take longer than this. */
const LIMIT_MS = 28_000;

/** Sends a request to 127.0.0.1, its headers exactly as given after `Host` and `Content-Length`. */
export async function sendRequest(port: number, options: RequestOptions): Promise<Answer> {
  const { hostname, method = 'GET', path = '/', headers = [], body, agent, signal } = options;
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const length: HeaderPair[] = bytes ? [['Content-Length', String(bytes.length)]] : [];
  return new Promise<Answer>((resolve, reject) => {
    const request = httpRequest({
      host: '127.0.0.1',
      port,
      method,
      path,
      headers: [['Host', hostname], ...length, ...headers].flat() as unknown as Record<string, string>,
      signal: AbortSignal.any([AbortSignal.timeout(LIMIT_MS), ...(signal ? [signal] : [])]),
      // A connection of its own unless the test keeps some.
      agent: agent ?? false,
    });
    request.on('error', reject);
    request.on('response', (response) => {
      buffer(response).then(
        (received) =>
          resolve(answerOf(response.statusCode as number, toPairs(response.rawHeaders), received)),
        reject,
      );
    });
    request.end(bytes);
  });
}

export interface RawAnswer extends Answer {
  /** All that came, a code unit a byte; one answer is parsed, more can be looked for here. */
  readonly received: string;
  /** Whether the server closed the connection. */
  readonly closed: boolean;
}

/**
 * Sends bytes as they are and reads until the server closes the connection, or until `timeoutMs` have passed.
 * Parts are sent one after the other, each when the one before is on its way.
 */
export async function sendRaw(
  port: number,
  parts: string | Buffer | AsyncIterable<Buffer>,
  timeoutMs = 5000,
): Promise<RawAnswer> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let received = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => (received = Buffer.concat([received, chunk])));
  const ended = Promise.withResolvers<boolean>();
  // A server that closes while something is still on its way to it resets the connection.
  for (const event of ['end', 'close', 'error']) socket.on(event, () => ended.resolve(true));
  const timer = setTimeout(() => ended.resolve(false), timeoutMs);
  const pieces = typeof parts === 'string' || Buffer.isBuffer(parts) ? bytesOf(parts) : parts;
  for await (const part of pieces) {
    if (socket.destroyed) break;
    await new Promise<void>((resolve) => void socket.write(part, () => resolve()));
  }
  const closed = await ended.promise;
  clearTimeout(timer);
  socket.destroy();
  return { ...parseAnswer(received), received: received.toString('latin1'), closed };
}

function bytesOf(part: string | Buffer): Buffer[] {
  return [typeof part === 'string' ? Buffer.from(part) : part];
}

/** The first answer in what came; status 0 when there is none. */
function parseAnswer(received: Buffer): Answer {
  const end = received.indexOf('\r\n\r\n');
  const [start = '', ...lines] = received.toString('latin1', 0, Math.max(end, 0)).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(start)?.[1] ?? 0);
  const headers = lines.map((line): HeaderPair => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  return answerOf(status, headers, received.subarray(end + 4));
}

function answerOf(status: number, headers: readonly HeaderPair[], body: Buffer): Answer {
  return {
    status,
    headers,
    header: (name) => headerValues(headers, name)[0],
    body,
    text: body.toString(),
    json: () => JSON.parse(body.toString()) as unknown,
  };
}
