import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Config } from '../shared/config.ts';
import { LC500Error } from '../shared/errors.ts';
import { addressOf } from './address.ts';
import { BodyMemory } from './body-memory.ts';
import { ClientCounts } from './client-counts.ts';
import { Pipelines } from './pipelines.ts';
import { Proxies, type Client } from './proxies.ts';

/** What bounds the clients of a gateway, whatever they do. */
export interface Edge {
  /** `undefined`: nobody was asked to vouch for anybody, and requests are passed on as they come. */
  readonly proxies: Proxies | undefined;
  readonly clients: ClientCounts;
  readonly pipelines: Pipelines;
  /** Of requests. */
  readonly bodies: BodyMemory;
  /** Of answers that their clients have not taken yet. */
  readonly answers: BodyMemory;
  /** Connections that were closed because there were too many, in total or from one address. */
  readonly turnedAway: { total: number; address: number };
}

const MIB = 1_048_576;

export function createEdge(config: Config): Edge {
  const trusted = config.TRUSTED_PROXIES;
  return {
    proxies: trusted && new Proxies(trusted, config.PROXY_HEADER),
    clients: new ClientCounts(config.MAX_CONNECTIONS_PER_ADDRESS),
    pipelines: new Pipelines(config.MAX_PIPELINED),
    bodies: new BodyMemory(config.MAX_BODY_MEMORY_MB * MIB),
    answers: new BodyMemory(config.MAX_BODY_MEMORY_MB * MIB),
    turnedAway: { total: 0, address: 0 },
  };
}

/**
 * The client of a request, where proxies are known.
 *
 * @throws LC500Error `too_many_connections` when as many of its requests are under way as one client may have
 */
export function enterClient(edge: Edge, req: IncomingMessage, res: ServerResponse): Client | undefined {
  const client = edge.proxies?.clientOf(req);
  if (!client?.isBehindProxy) return client;
  const { address } = client;
  if (!edge.clients.enter(address))
    throw new LC500Error('too_many_connections', `too many requests of ${address} are under way`);
  res.once('close', () => edge.clients.leave(address));
  return client;
}

/** Who asks, as far as the trusted proxies tell. */
export function clientAddress(edge: Edge, req: IncomingMessage): string {
  return edge.proxies?.clientOf(req).address ?? addressOf(req.socket.remoteAddress);
}

/**
 * Sees to an answer that the client did not take at once, which the system's own buffers hold for most: it has
 * `timeoutMs` to do so, or less when many others read slowly, too. Then the connection is closed.
 */
export function awaitReader(memory: BodyMemory, res: ServerResponse, timeoutMs: number): void {
  if (res.writableLength === 0 || res.destroyed) return;
  const hold = memory.hold(() => res.destroy());
  const timer = setTimeout(() => res.destroy(), timeoutMs);
  res.once('close', () => {
    clearTimeout(timer);
    hold.release();
  });
  if (!hold.take(res.writableLength)) res.destroy();
}
