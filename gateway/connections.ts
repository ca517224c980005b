import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { nanoid } from 'nanoid';
import type { Config } from '../shared/config.ts';
import type { Logger } from '../shared/log.ts';
import { addressOf } from './address.ts';
import type { Edge } from './edge.ts';
import { sendProblemRaw } from './errors.ts';

/** Clients that are turned away are told why while no more than this many others are. */
const MAX_FAREWELLS = 64;
/** So often at most the log says that connections were turned away. */
const LOG_EVERY_MS = 10_000;

/**
 * Bounds the connections of a server, in total and for each client. Over the total they are closed unheard; over a
 * client's own share they are answered `too_many_connections`. Those of trusted proxies are nobody's own.
 */
export function limitConnections(server: Server, edge: Edge, config: Config, log: Logger): void {
  const tell = occasionally((turnedAway: number, last: string) =>
    log.warn({ turnedAway, last }, 'connections were turned away; is a proxy missing in TRUSTED_PROXIES?'),
  );
  let farewells = 0;
  server.maxConnections = config.MAX_CONNECTIONS;
  server.on('drop', (dropped) => {
    edge.turnedAway.total++;
    tell(dropped?.remoteAddress ?? 'unknown');
  });
  server.on('connection', (socket: Socket) => {
    const address = addressOf(socket.remoteAddress);
    if (edge.proxies?.isTrusted(address)) return;
    if (edge.clients.enter(address)) {
      socket.once('close', () => edge.clients.leave(address));
      return;
    }
    edge.turnedAway.address++;
    tell(address);
    edge.pipelines.close(socket);
    if (farewells >= MAX_FAREWELLS) {
      socket.destroy();
      return;
    }
    farewells++;
    socket.once('close', () => farewells--);
    sendProblemRaw(socket, 'too_many_connections', nanoid());
  });
}

/** Reports the first of what happens often at once, and those that follow together. */
function occasionally(report: (count: number, last: string) => void): (what: string) => void {
  let count = 0;
  let last = '';
  let timer: NodeJS.Timeout | undefined;
  const tell = (): void => {
    timer = undefined;
    if (count === 0) return;
    report(count, last);
    count = 0;
    timer = setTimeout(tell, LOG_EVERY_MS).unref();
  };
  return (what) => {
    count++;
    last = what;
    if (!timer) tell();
  };
}
