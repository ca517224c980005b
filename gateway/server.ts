import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { nanoid } from 'nanoid';
import type { Config } from '../shared/config.ts';
import type { ErrorCode } from '../shared/errors.ts';
import { sendProblemRaw } from './errors.ts';
import { Pipelines } from './pipelines.ts';

/** Time-outs are looked after this often, or a quarter of the shortest. */
const TIMEOUT_CHECK_MS = 1000;

type Handler = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

export type ServerLimits = Pick<
  Config,
  | 'HEADERS_TIMEOUT_MS'
  | 'REQUEST_TIMEOUT_MS'
  | 'KEEP_ALIVE_TIMEOUT_MS'
  | 'MAX_HEADER_BYTES'
  | 'MAX_HEADERS'
  | 'MAX_PIPELINED'
  | 'MAX_REQUEST_BYTES'
>;

/** Node's HTTP server, strict, with time-outs, and with this project's answers for what its parser refuses. */
export function createHttpServer(
  handler: Handler,
  limits: ServerLimits,
  pipelines: Pipelines = new Pipelines(limits.MAX_PIPELINED),
): Server {
  const handle = (req: IncomingMessage, res: ServerResponse): void => {
    if (pipelines.admit(req, res)) void handler(req, res);
  };
  const server = createServer(
    {
      insecureHTTPParser: false,
      // A missing Host is answered as `bad_host` rather than with an empty 400.
      requireHostHeader: false,
      maxHeaderSize: limits.MAX_HEADER_BYTES,
      headersTimeout: limits.HEADERS_TIMEOUT_MS,
      requestTimeout: limits.REQUEST_TIMEOUT_MS,
      keepAliveTimeout: limits.KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: Math.min(TIMEOUT_CHECK_MS, limits.HEADERS_TIMEOUT_MS / 4),
      noDelay: true,
    },
    handle,
  );
  // Node drops what is over this without a word; one more, and `hasTooManyHeaders` notices.
  server.maxHeadersCount = limits.MAX_HEADERS + 1;
  server.on('clientError', (error, socket) => refuse(pipelines, error, socket));
  server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => {
    // A body that is announced as too large is refused before it is sent: RFC 9110 section 10.1.1.
    if (Number(req.headers['content-length'] ?? 0) <= limits.MAX_REQUEST_BYTES) res.writeContinue();
    handle(req, res);
  });
  return server;
}

export function hasTooManyHeaders(req: IncomingMessage, max: number): boolean {
  return req.rawHeaders.length > 2 * max;
}

function refuse(pipelines: Pipelines, error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  // Behind requests that are well-formed and not answered yet, the connection just ends when they are.
  if (pipelines.close(socket)) sendProblemRaw(socket, codeOf(error), nanoid());
}

function codeOf(error: NodeJS.ErrnoException): ErrorCode {
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request_timeout';
  if (error.code === 'HPE_HEADER_OVERFLOW') return 'headers_too_large';
  return 'bad_request';
}
