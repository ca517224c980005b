import type { Lab } from './lab.ts';
import { exchange, type Exchange } from './load.ts';

/** Repeats of one run, at most: those whose client learnt nothing first. */
const MOST = 8;

/**
 * Clients that do not know what became of their `POST` send it again with the same `Idempotency-Key`, to the other
 * gateway. Some of those that do know do so, too.
 */
export async function repeatKeyed(lab: Lab, exchanges: readonly Exchange[]): Promise<Exchange[]> {
  const keyed = exchanges.filter(({ request }) => request.keyed);
  const unknowing = keyed.filter(({ code }) => code !== 'ok');
  const knowing = keyed.filter(({ code }) => code === 'ok');
  const chosen = [...unknowing.slice(-MOST / 2), ...knowing.slice(-MOST / 2)];
  return Promise.all(
    chosen.map(({ request }) =>
      exchange(lab, { ...request, gateway: (request.gateway + 1) % lab.gateways.length }),
    ),
  );
}
