import { Counter, Registry } from 'prom-client';
import type { AsyncEndings } from '../../shared/async-endings.ts';

/**
 * What became of the deployment's asynchronous requests, as Prometheus text.
 *
 * @returns makes the text; an empty one when Redis does not answer
 */
export function asyncMetrics(endings: AsyncEndings): () => Promise<string> {
  const registry = new Registry();
  const ended = new Counter({
    name: 'lc500_async_invocations_total',
    help: 'Asynchronous requests of all gateways that have ended, by code',
    labelNames: ['code'],
    registers: [registry],
  });
  return async () => {
    const counts = await endings.read().catch(() => undefined);
    if (!counts) return '';
    registry.resetMetrics();
    for (const [code, count] of counts) ended.inc({ code }, count);
    return registry.metrics();
  };
}
