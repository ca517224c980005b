import { Gauge, Registry } from 'prom-client';
import type { Admission } from '../admission/admission.ts';

/**
 * What this gateway's admission goes by, as Prometheus text. Whom it refused is in `lc500_invocations_total`, by code.
 */
export function admissionMetrics(admission: Admission): () => Promise<string> {
  const registry = new Registry();
  const registers = [registry];
  const held = new Gauge({
    name: 'lc500_requests_held',
    help: 'Requests that wait in this gateway because their tenant has enough in the queue',
    registers,
  });
  const backlog = new Gauge({
    name: 'lc500_predicted_wait_seconds',
    help: 'Until all requests of this gateway will be done, as admission predicts it',
    registers,
  });
  return () => {
    held.set(admission.held);
    backlog.set(admission.backlogMs / 1000);
    return registry.metrics();
  };
}
