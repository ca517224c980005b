import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

interface Refusal {
  readonly status: number;
  readonly id: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A Platform API with one app that has one formation, made from its reference. */
export interface FakeHeroku extends AsyncDisposable {
  readonly url: string;
  quantity: number;
  remaining: number;
  /** Every request, as `METHOD path body`. */
  readonly requests: string[];
  /** What the next requests are answered with instead. */
  readonly refusals: Refusal[];
}

export const HEROKU_TOKEN = 'heroku-token-of-a-test';
const PATH = '/apps/my-app/formation/runner';

export async function startFakeHeroku(): Promise<FakeHeroku> {
  const state = { quantity: 1, remaining: 4500, requests: [] as string[], refusals: [] as Refusal[] };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = request.method === 'PATCH' ? await json(request) : undefined;
    state.requests.push(`${request.method} ${request.url} ${JSON.stringify(body) ?? ''}`.trim());
    const refusal = state.refusals.shift() ?? refuse(request, body);
    const headers = { 'Content-Type': 'application/json', 'RateLimit-Remaining': String(--state.remaining) };
    if (refusal) {
      const { status, id, message } = refusal;
      response.writeHead(status, { ...headers, ...refusal.headers }).end(JSON.stringify({ id, message }));
      return;
    }
    if (body) state.quantity = (body as { quantity: number }).quantity;
    response.writeHead(200, headers).end(JSON.stringify(formation(state.quantity)));
  };
  const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
  };
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(state, { url, [Symbol.asyncDispose]: close });
}

function refuse(request: IncomingMessage, body: unknown): Refusal | undefined {
  if (request.headers.authorization !== `Bearer ${HEROKU_TOKEN}`)
    return { status: 401, id: 'unauthorized', message: 'Invalid credentials provided.' };
  if (request.headers.accept !== 'application/vnd.heroku+json; version=3')
    return { status: 406, id: 'not_acceptable', message: 'Version not acceptable.' };
  if (request.url !== PATH) return { status: 404, id: 'not_found', message: "Couldn't find that formation." };
  if (body && !Number.isInteger((body as { quantity?: unknown }).quantity))
    return { status: 422, id: 'invalid_params', message: 'Invalid quantity.' };
  return undefined;
}

function formation(quantity: number) {
  return {
    app: { id: '01234567-89ab-cdef-0123-456789abcdef', name: 'my-app' },
    command: 'exec node runner/main.ts',
    created_at: '2012-01-01T12:00:00Z',
    id: '01234567-89ab-cdef-0123-456789abcdef',
    quantity,
    size: 'Standard-1X',
    type: 'runner',
    updated_at: '2012-01-01T12:00:00Z',
  };
}
