import { once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

interface Upstream {
  status: number;
  headers: OutgoingHttpHeaders;
  body: Buffer;
}

/** What is done to one exchange. */
export type Fault =
  | { readonly kind: 'none' }
  /** No answer, ever. */
  | { readonly kind: 'hang' }
  /** The request is taken, and the connection reset. */
  | { readonly kind: 'reset' }
  | { readonly kind: 'delay'; readonly ms: number }
  /** Half of the body, then nothing more on an open connection. */
  | { readonly kind: 'stall' }
  /** Half of the body, then the connection's end. */
  | { readonly kind: 'cut' }
  /** An answer of the proxy's own; the server is not asked. */
  | { readonly kind: 'answer'; readonly status: number; readonly body?: string }
  /** The server's answer, changed. */
  | { readonly kind: 'change'; readonly change: (answer: Upstream) => void };

export interface FaultyProxy extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Methods and targets of the requests that arrived, in order. */
  readonly asked: readonly string[];
  /** Done to each exchange from now on. */
  always(fault: Fault): void;
  /** Done to the next exchanges, one each; then to each what was set before. */
  next(...faults: Fault[]): void;
  forget(): void;
  /** Connections are refused, and those that are there end. */
  refuse(): Promise<void>;
  /** Connections are taken again, on the same port. */
  accept(): Promise<void>;
}

export const NONE: Fault = { kind: 'none' };
export const HANG: Fault = { kind: 'hang' };
export const SLOW_DOWN: Fault = {
  kind: 'answer',
  status: 503,
  body: '<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>',
};

/** Stands in front of an HTTP server and spoils exchanges with it. @param target the server's URL */
export async function startFaultyProxy(target: string): Promise<FaultyProxy> {
  const asked: string[] = [];
  let standing = NONE;
  let queued: Fault[] = [];
  const server = createServer((req, res) => {
    asked.push(`${req.method} ${req.url}`);
    exchange(target, queued.shift() ?? standing, req, res).catch(() => res.destroy());
  });
  // The clients' own connections tell when they end.
  server.keepAliveTimeout = 0;
  const listen = async (port: number): Promise<void> =>
    void (await once(server.listen(port, '127.0.0.1'), 'listening'));
  const refuse = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    asked,
    always: (fault) => void (standing = fault),
    next: (...faults) => void (queued = faults),
    forget: () => void (asked.length = 0),
    refuse,
    accept: () => listen(port),
    [Symbol.asyncDispose]: refuse,
  };
}

async function exchange(
  target: string,
  fault: Fault,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const body = await buffer(req);
  if (fault.kind === 'hang') return;
  if (fault.kind === 'reset') return void req.socket.resetAndDestroy();
  if (fault.kind === 'answer') return void res.writeHead(fault.status).end(fault.body);
  if (fault.kind === 'delay') await sleep(fault.ms);
  const answer = await forward(target, req, body);
  if (fault.kind === 'change') fault.change(answer);
  res.writeHead(answer.status, answer.headers);
  if (fault.kind !== 'cut' && fault.kind !== 'stall') return void res.end(answer.body);
  const half = answer.body.subarray(0, answer.body.length / 2);
  res.write(half, () => fault.kind === 'cut' && res.destroy());
}

async function forward(target: string, req: IncomingMessage, body: Buffer): Promise<Upstream> {
  const { hostname, port } = new URL(target);
  const headers = req.rawHeaders as unknown as OutgoingHttpHeaders;
  const onward = httpRequest({ hostname, port, method: req.method, path: req.url, headers, agent: false });
  onward.end(body);
  const [answer] = (await once(onward, 'response')) as [IncomingMessage];
  const { connection: _hop, 'keep-alive': _time, ...others } = answer.headersDistinct;
  return { status: answer.statusCode as number, headers: others, body: await buffer(answer) };
}
