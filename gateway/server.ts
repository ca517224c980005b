import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { nanoid } from 'nanoid';
import type { ErrorCode } from '../shared/errors.ts';
import { sendProblemRaw } from './errors.ts';

/** Time for the headers, and for the whole request, to arrive. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 20_000;
/** Longer than a load balancer in front keeps its idle connections, or it writes into one that is closing. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
const TIMEOUT_CHECK_MS = 1000;
const MAX_HEADER_BYTES = 16_384;

type Handler = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

/** Node's HTTP server, strict, with time-outs, and with this project's answers for what its parser refuses. */
export function createHttpServer(handler: Handler, maxRequestBytes: number, timeouts = {}): Server {
  const server = createServer(
    {
      insecureHTTPParser: false,
      // A missing Host is answered as `bad_host` rather than with an empty 400.
      requireHostHeader: false,
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      noDelay: true,
      ...timeouts,
    },
    (req, res) => void handler(req, res),
  );
  server.on('clientError', refuse);
  server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => {
    // A body that is announced as too large is refused before it is sent: RFC 9110 section 10.1.1.
    if (Number(req.headers['content-length'] ?? 0) <= maxRequestBytes) res.writeContinue();
    void handler(req, res);
  });
  return server;
}

function refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  sendProblemRaw(socket, codeOf(error), nanoid());
}

function codeOf(error: NodeJS.ErrnoException): ErrorCode {
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request_timeout';
  if (error.code === 'HPE_HEADER_OVERFLOW') return 'headers_too_large';
  return 'bad_request';
}
