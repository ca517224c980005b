import { setTimeout as sleep } from 'node:timers/promises';
import { startChild } from '../../helpers/child.ts';
import type { Allowed, Fault } from '../fault.ts';
import type { Lab } from '../lab.ts';
import type { Persistence } from '../redis-server.ts';

/** While Redis is away; what was under way then may be noticed as lost, or expire. */
const AWAY: Allowed = {
  idempotent: ['queue_unavailable', 'deadline_exceeded'],
  keyed: ['queue_unavailable', 'deadline_exceeded'],
  post: ['queue_unavailable', 'deadline_exceeded', 'runner_lost'],
};

/** Redis's process dies, is away, freezes. */
export const REDIS_PROCESS: readonly Fault[] = [
  killed('everysec'),
  killed('always'),
  {
    name: 'redis-emptied',
    what: 'Redis is killed and comes back without its data',
    allowed: AWAY,
    seconds: 9,
    forgets: true,
    async strike({ redis }) {
      await redis.kill();
      await redis.wipe();
      await redis.start();
    },
  },
  outage(1),
  outage(30),
  outage(90),
  frozen(1),
  frozen(5),
  {
    name: 'redis-away-at-start',
    what: 'gateways and runners start 2–4 s before Redis',
    allowed: AWAY,
    seconds: 10,
    async strike(lab, random) {
      const parts = [...lab.gateways, ...lab.runners];
      for (const { child } of parts) child.signal('SIGTERM');
      await Promise.all(parts.map(({ child }) => child.exit));
      await lab.redis.kill();
      for (const part of parts) part.child = startChild(part.entry, part.env);
      await Promise.all(parts.map(({ child }) => child.logged('Redis is away; reconnecting')));
      await sleep(random.between(2000, 4000));
      if (parts.some(({ child, ready }) => child.records.some(({ msg }) => msg === ready)))
        throw new Error('a process called itself ready without Redis');
      await lab.redis.start();
      await Promise.all(parts.map(({ child, ready }) => child.logged(ready)));
      return lab.gateways.map((_, index) => index);
    },
  },
];

function killed(persistence: Persistence): Fault {
  return {
    name: `redis-sigkill-${persistence}`,
    what: `Redis (\`appendfsync ${persistence}\`) is killed and started again with its data`,
    allowed: AWAY,
    seconds: 10,
    lab: { persistence },
    async strike({ redis }) {
      await redis.kill();
      await redis.start();
    },
  };
}

function outage(seconds: number): Fault {
  return {
    name: `redis-outage-${seconds}s`,
    what: `Redis is away for ${seconds} s`,
    allowed: AWAY,
    seconds: seconds + 10,
    away: true,
    strike: ({ redis }: Lab) => whileAway(redis, seconds),
  };
}

async function whileAway(redis: Lab['redis'], seconds: number): Promise<void> {
  await redis.kill();
  await sleep(seconds * 1000);
  await redis.start();
}

function frozen(seconds: number): Fault {
  return {
    name: `redis-frozen-${seconds}s`,
    what: `Redis is frozen for ${seconds} s (SIGSTOP) and goes on`,
    allowed: AWAY,
    seconds: seconds + 8,
    ...(seconds > 2 ? { away: true } : {}),
    async strike({ redis }) {
      redis.signal('SIGSTOP');
      await sleep(seconds * 1000);
      redis.signal('SIGCONT');
    },
  };
}
