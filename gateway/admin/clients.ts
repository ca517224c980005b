import type { Server } from 'node:http';
import { Counter, Gauge, Registry } from 'prom-client';
import type { Edge } from '../edge.ts';

/** What a gateway holds for its clients, and whom it turned away, as Prometheus text. */
export function clientMetrics(edge: Edge, server: Server): () => Promise<string> {
  const registry = new Registry();
  const registers = [registry];
  const connections = new Gauge({
    name: 'lc500_connections',
    help: 'Open connections to the public port',
    registers,
  });
  const turnedAway = new Counter({
    name: 'lc500_connections_turned_away_total',
    help: 'Connections that were closed because there were too many, in total or from one address',
    labelNames: ['limit'],
    registers,
  });
  const bodies = new Gauge({
    name: 'lc500_body_bytes',
    help: 'Bytes of request bodies, and of answers that their clients have not taken',
    labelNames: ['of'],
    registers,
  });
  return async () => {
    registry.resetMetrics();
    connections.set(await countConnections(server));
    for (const [limit, count] of Object.entries(edge.turnedAway)) turnedAway.inc({ limit }, count);
    bodies.set({ of: 'requests' }, edge.bodies.used);
    bodies.set({ of: 'answers' }, edge.answers.used);
    return registry.metrics();
  };
}

function countConnections(server: Server): Promise<number> {
  return new Promise((resolve) => server.getConnections((error, count) => resolve(error ? 0 : count)));
}
