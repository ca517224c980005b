import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Blueprint {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

const EMPTY: Blueprint = { status: 200, contentType: '', body: '' };

/** By tenant; every other tenant gets the empty blueprint. */
const BLUEPRINTS = new Map<string, (path: string) => Blueprint>([
  ['hello.localhost', () => ({ status: 200, contentType: 'text/plain; charset=utf-8', body: 'Hello' })],
  ['page.localhost', teaPage],
]);

/** A blueprint server to try things with; disposing it closes it. */
export interface BlueprintServer extends AsyncDisposable {
  /** `host:port`, as `BLUEPRINT_TARGET` has it. */
  readonly target: string;
}

/**
 * Starts the sample blueprint server on a free loopback port.
 * It is asked as a proxy is: the request target is an absolute URI (RFC 9112 section 3.2.2).
 */
export async function startBlueprints(): Promise<BlueprintServer> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
  };
  return { target: `127.0.0.1:${port}`, [Symbol.asyncDispose]: close };
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const target = request.url ?? '';
  // A request in the ordinary form names its host in a field: convenient for a look with a browser.
  const base = `http://${request.headers.host ?? 'localhost'}`;
  const url = URL.canParse(target, base) ? new URL(target, base) : undefined;
  const { status, contentType, body } = (url && BLUEPRINTS.get(url.hostname)?.(url.pathname)) ?? EMPTY;
  request.resume();
  response.writeHead(status, contentType ? { 'Content-Type': contentType } : {}).end(body);
}

function teaPage(path: string): Blueprint {
  const found = path === '/';
  const page = found
    ? {
        title: 'Tea & biscuits',
        text: 'Fresh today, <not> yesterday’s.',
        items: [
          { name: 'Assam', price: '4.50' },
          { name: 'Darjeeling "First Flush"', price: '7.20' },
        ],
      }
    : { title: 'Not found', text: `Nothing is sold at ${path}.`, items: [] };
  return { status: found ? 200 : 404, contentType: 'application/json', body: JSON.stringify(page) };
}
