import type { Redis } from 'ioredis';
import type { RedisClock } from '../../shared/clock.ts';
import { readHeld, tellHeld } from '../../shared/held-requests.ts';
import { readRunners } from '../../shared/signals.ts';

/** What there is, and who else uses it. */
export interface Capacity {
  /** Of all runners. */
  readonly sandboxes: number;
  /** Jobs that all runners take at a time. */
  readonly jobs: number;
  /** Tenants that a runner had to do with of late: the most that any tells of. */
  readonly tenants: number;
  /** Gateways that hold requests back, beside this one. */
  readonly otherGateways: number;
}

/** Jobs in hand of a runner that does not tell. */
const IN_HAND = 4;

/** Looks at the runners' heartbeats and tells the other gateways of the requests that are held here. */
export function createCapacityReader(deps: {
  readonly redis: Redis;
  readonly clock: RedisClock;
  readonly prefix: string;
  readonly gatewayId: string;
}): (held: { readonly count: number; readonly oldestMs: number }) => Promise<Capacity> {
  const { redis, clock, prefix, gatewayId: id } = deps;
  let hasTold = false;
  return async (held) => {
    if (held.count > 0 || hasTold) await tellHeld(redis, prefix, { id, now: clock.now(), ...held });
    hasTold = held.count > 0;
    const [runners, holding] = await Promise.all([readRunners(redis, prefix), readHeld(redis, prefix)]);
    return {
      sandboxes: sum(runners.map(({ sandboxes }) => sandboxes)),
      jobs: sum(runners.map(({ jobs, sandboxes }) => jobs ?? sandboxes + IN_HAND)),
      tenants: Math.max(0, ...runners.map(({ tenants = 0 }) => tenants)),
      otherGateways: holding.gateways.filter((gateway) => gateway !== id).length,
    };
  };
}

function sum(figures: readonly number[]): number {
  return figures.reduce((total, figure) => total + figure, 0);
}
