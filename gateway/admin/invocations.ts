import { Counter, Gauge, Registry } from 'prom-client';
import type { GatewayRegister } from '../gateway-register.ts';
import type { Ledger } from '../ledger.ts';
import type { Replies } from '../replies.ts';

/**
 * What became of this gateway's requests, and of the replies that reached it, as Prometheus text.
 *
 * @returns makes the text, with all figures of one moment
 */
export function invocationMetrics(
  ledger: Ledger,
  replies: Replies,
  register: GatewayRegister,
): () => Promise<string> {
  const registry = new Registry();
  const registers = [registry];
  const accepted = new Counter({
    name: 'lc500_invocations_accepted_total',
    help: 'Requests that were accepted',
    registers,
  });
  const ended = new Counter({
    name: 'lc500_invocations_total',
    help: 'Accepted requests that have ended, each once, by state and code',
    labelNames: ['state', 'code'],
    registers,
  });
  const inFlight = new Gauge({
    name: 'lc500_invocations_in_flight',
    help: 'Accepted requests that have not ended',
    registers,
  });
  const again = new Counter({
    name: 'lc500_invocations_second_endings_total',
    help: 'Attempts to end a request again, which were refused: more than 0 is a fault of lc500',
    registers,
  });
  const received = new Counter({
    name: 'lc500_replies_total',
    help: 'Replies that reached this gateway; unclaimed: late, or the second for their request',
    labelNames: ['result'],
    registers,
  });
  const awaited = new Gauge({
    name: 'lc500_replies_awaited',
    help: 'Replies that are waited for',
    registers,
  });
  const orphaned = new Counter({
    name: 'lc500_invocations_orphaned_total',
    help: 'Requests that ran for gateways that had died, as this gateway found',
    registers,
  });
  return () => {
    registry.resetMetrics();
    accepted.inc(ledger.accepted);
    for (const { state, code, count } of ledger.endings()) ended.inc({ state, code }, count);
    inFlight.set(ledger.inFlight);
    again.inc(ledger.secondEndings);
    for (const [result, count] of Object.entries(replies.counts)) received.inc({ result }, count);
    awaited.set(replies.waiting);
    orphaned.inc(register.orphaned);
    return registry.metrics();
  };
}
