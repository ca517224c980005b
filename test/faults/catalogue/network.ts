import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisProxy } from '../../helpers/redis-proxy.ts';
import type { Allowed, Fault } from '../fault.ts';

const lab = { viaProxy: true } as const;
const UNAVAILABLE: Allowed = {
  idempotent: ['queue_unavailable', 'deadline_exceeded'],
  keyed: ['queue_unavailable', 'deadline_exceeded'],
  post: ['queue_unavailable', 'deadline_exceeded', 'runner_lost'],
};

/** The network between the system and its Redis. */
export const NETWORK: readonly Fault[] = [
  {
    name: 'network-cut',
    what: 'the network to Redis is cut for 0.5–3 s, while Redis lives on',
    allowed: UNAVAILABLE,
    seconds: 9,
    lab,
    async strike(from, random) {
      const network = from.network as RedisProxy;
      network.cut();
      await sleep(random.between(500, 3000));
      network.mend();
    },
  },
  {
    name: 'network-slow',
    what: 'everything to and from Redis takes 20–100 ms longer, for 3 s',
    allowed: {},
    seconds: 8,
    lab,
    async strike(from, random) {
      const network = from.network as RedisProxy;
      network.delay(random.between(20, 100));
      await sleep(3000);
      network.delay(0);
    },
  },
  {
    name: 'network-half-open',
    what: 'every connection to Redis goes dead without a word; new ones can be made. Noticed within 9 s',
    allowed: UNAVAILABLE,
    seconds: 17,
    lab,
    async strike(from) {
      (from.network as RedisProxy).forget();
      await sleep(9000);
    },
  },
];
