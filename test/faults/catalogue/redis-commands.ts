import { setTimeout as sleep } from 'node:timers/promises';
import { forAll, type Allowed, type Fault } from '../fault.ts';
import { connectionsOf } from '../connections.ts';

const UNAVAILABLE: Allowed = {
  idempotent: ['queue_unavailable'],
  keyed: ['queue_unavailable'],
  post: ['queue_unavailable', 'runner_lost'],
};

/** What an operator, or a full memory, does to a Redis that lives on. */
export const REDIS_COMMANDS: readonly Fault[] = [
  {
    name: 'client-pause',
    what: '`CLIENT PAUSE` of 1–3 s',
    allowed: UNAVAILABLE,
    seconds: 9,
    async strike({ redis }, random) {
      const ms = random.between(1000, 3000);
      await redis.admin.client('PAUSE', ms, 'ALL');
      await sleep(ms);
    },
  },
  {
    name: 'client-kill-one',
    what: '`CLIENT KILL` of one connection, whichever',
    allowed: UNAVAILABLE,
    seconds: 5,
    async strike({ redis }, random) {
      const { id } = random.pick(await connectionsOf(redis.admin));
      await redis.admin.client('KILL', 'ID', id);
    },
  },
  {
    name: 'client-kill-all',
    what: '`CLIENT KILL` of all connections, three times',
    allowed: UNAVAILABLE,
    seconds: 6,
    async strike({ redis }, random) {
      for (let i = 0; i < 3; i++) {
        for (const { id } of await connectionsOf(redis.admin)) await redis.admin.client('KILL', 'ID', id);
        await sleep(random.between(0, 300));
      }
    },
  },
  {
    name: 'script-flush',
    what: '`SCRIPT FLUSH`',
    allowed: {},
    seconds: 5,
    strike: async ({ redis }) => void (await redis.admin.script('FLUSH')),
  },
  {
    name: 'flushall',
    what: '`FLUSHALL`',
    allowed: forAll('deadline_exceeded'),
    seconds: 9,
    forgets: true,
    strike: async ({ redis }) => void (await redis.admin.flushall()),
  },
  {
    name: 'maxmemory',
    what: '`maxmemory` is reached for 0.5–2 s, then raised',
    allowed: UNAVAILABLE,
    seconds: 9,
    async strike({ redis }, random) {
      await redis.admin.config('SET', 'maxmemory', '1');
      await sleep(random.between(500, 2000));
      await redis.admin.config('SET', 'maxmemory', '0');
      const evicted = /^evicted_keys:(\d+)/m.exec(await redis.admin.info('stats'))?.[1];
      if (evicted !== '0') throw new Error(`Redis has evicted ${evicted} keys`);
    },
  },
];
