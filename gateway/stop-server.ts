import { once } from 'node:events';
import type { Server } from 'node:http';
import { Server as TcpServer } from 'node:net';
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';

/** How often a closing server looks for connections that have become idle. */
const IDLE_CHECK_MS = 20;
/** More turns than this are not waited for one in which nobody connects. */
const MAX_TURNS = 100;

/**
 * Stops accepting, closes idle connections, waits for the answers in flight.
 *
 * No request is lost that was sent before: connections which the kernel has accepted for us are taken over first,
 * and those that are idle have `patienceMs` to bring what is under way on them. Node's own `close` ends both with
 * a reset, since to it a connection whose first request has not been read yet is idle.
 */
export async function stopServer(server: Server, patienceMs: number): Promise<void> {
  await nobodyConnects(server);
  const closed = once(server, 'close');
  TcpServer.prototype.close.call(server);
  await Promise.race([closed, delay(patienceMs)]);
  // A connection that is answered now becomes idle later; its client may mean to keep it.
  const timer = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  await closed;
  clearInterval(timer);
}

/** The next thing that the caller does comes before the kernel's next connection is seen. */
async function nobodyConnects(server: Server): Promise<void> {
  let connections = 0;
  const count = (): void => void connections++;
  server.on('connection', count);
  for (let i = 0; i < MAX_TURNS; i++) {
    const before = connections;
    await turn();
    if (i > 0 && connections === before) break;
  }
  server.off('connection', count);
}
