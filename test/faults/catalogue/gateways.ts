import { setTimeout as sleep } from 'node:timers/promises';
import { RUNNER_LOST, type Fault } from '../fault.ts';
import type { Lab } from '../lab.ts';
import type { Random } from '../random.ts';

/** Faults of gateways. */
export const GATEWAYS: readonly Fault[] = [
  {
    name: 'gateway-sigkill',
    what: 'a gateway is killed (SIGKILL) and started again',
    allowed: {},
    seconds: 6,
    strike: (lab, random) => replace(lab, random, 'SIGKILL'),
  },
  {
    name: 'gateway-sigterm',
    what: 'a gateway is told to end (SIGTERM), and started again',
    allowed: {},
    seconds: 6,
    strike: (lab, random) => replace(lab, random, 'SIGTERM'),
  },
  {
    name: 'gateway-frozen',
    what: 'a gateway is frozen for 1–4 s (SIGSTOP) and goes on',
    allowed: {},
    seconds: 8,
    async strike(lab, random) {
      const gateway = random.pick(lab.gateways);
      gateway.child.signal('SIGSTOP');
      await sleep(random.between(1000, 4000));
      gateway.child.signal('SIGCONT');
    },
  },
  {
    name: 'gateway-runner-sigkill',
    what: 'a gateway and a runner are killed at once and started again',
    allowed: RUNNER_LOST,
    seconds: 10,
    async strike(lab, random) {
      const runner = random.pick(lab.runners);
      runner.child.signal('SIGKILL');
      const down = await replace(lab, random, 'SIGKILL');
      await runner.child.exit;
      await lab.restart(runner);
      return down;
    },
  },
];

async function replace(lab: Lab, random: Random, signal: NodeJS.Signals): Promise<readonly number[]> {
  const index = random.between(0, lab.gateways.length - 1);
  const gateway = lab.gateways[index] as Lab['gateways'][number];
  gateway.child.signal(signal);
  await gateway.child.exit;
  await lab.restart(gateway);
  return [index];
}
