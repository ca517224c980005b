import type { Fault } from '../fault.ts';
import { GATEWAYS } from './gateways.ts';
import { NETWORK } from './network.ts';
import { REDIS_COMMANDS } from './redis-commands.ts';
import { REDIS_PROCESS } from './redis-process.ts';
import { SANDBOXES_RUNNERS } from './sandboxes-runners.ts';
import { UPSTREAM } from './upstream.ts';

/** Every fault, in the order of the README's table. */
export const FAULTS: readonly Fault[] = [
  ...SANDBOXES_RUNNERS,
  ...GATEWAYS,
  ...REDIS_PROCESS,
  ...REDIS_COMMANDS,
  ...NETWORK,
  ...UPSTREAM,
];
