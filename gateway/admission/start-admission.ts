import type { Redis } from 'ioredis';
import { nanoid } from 'nanoid';
import type { RedisClock } from '../../shared/clock.ts';
import type { Config } from '../../shared/config.ts';
import { Admission } from './admission.ts';
import { createCapacityReader } from './capacity.ts';

/** How often runners are looked at: this often while there is something to know, else each so many times. */
const LOOK_MS = 500;
const IDLE_LOOKS = 6;

/** Admission that knows what there is, and goes on looking. @returns also its end */
export async function startAdmission(deps: {
  readonly redis: Redis;
  readonly clock: RedisClock;
  readonly config: Config;
}): Promise<{ admission: Admission; stop: () => void }> {
  const { redis, clock, config } = deps;
  const { QUEUE_PREFIX: prefix, TENANT_WAIT_MS: tenantWaitMs } = config;
  const hasBlueprints = config.BLUEPRINT_TARGET.kind !== 'none';
  const admission = new Admission({ tenantWaitMs, hasBlueprints });
  const read = createCapacityReader({ redis, clock, prefix, gatewayId: nanoid() });
  let lookedAt = performance.now();
  const look = async (): Promise<void> => {
    const { held: count, oldestHeldMs: oldestMs } = admission;
    // While Redis is away what was known last stays in force.
    const capacity = await read({ count, oldestMs }).catch(() => undefined);
    const now = performance.now();
    admission.update(capacity, now - lookedAt);
    lookedAt = now;
  };
  await look();
  let [requests, idle] = [0, 0];
  const timer = setInterval(() => {
    idle = admission.requests === requests && admission.held === 0 ? idle + 1 : 0;
    requests = admission.requests;
    if (admission.isWithoutRunner || idle < IDLE_LOOKS || idle % IDLE_LOOKS === 0) void look();
  }, LOOK_MS);
  timer.unref();
  return { admission, stop: () => clearInterval(timer) };
}
