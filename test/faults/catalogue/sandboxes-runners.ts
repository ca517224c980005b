import { setTimeout as sleep } from 'node:timers/promises';
import { SPAWNER_NAME } from '../../../runner/spawner/messages.ts';
import { processTree, wholeTree } from '../../helpers/process-tree.ts';
import { forAll, RUNNER_LOST, type Allowed, type Fault } from '../fault.ts';
import type { Lab, Part } from '../lab.ts';
import type { Random } from '../random.ts';

/** Without any runner requests wait, and no longer than their deadline: on a busy machine the next one may be late. */
const NO_RUNNER: Allowed = {
  ...forAll('deadline_exceeded'),
  post: ['deadline_exceeded', 'runner_lost'],
};

/** Faults of sandboxes and runners. */
export const SANDBOXES_RUNNERS: readonly Fault[] = [
  {
    name: 'sandbox-sigkill',
    what: 'three sandboxes are killed (SIGKILL)',
    allowed: forAll('runner_lost'),
    seconds: 5,
    async strike(lab, random) {
      for (let i = 0; i < 3; i++) {
        process.kill(sandboxOf(lab, random), 'SIGKILL');
        await sleep(random.between(0, 300));
      }
    },
  },
  {
    name: 'sandbox-sigstop',
    what: 'a sandbox is frozen (SIGSTOP)',
    allowed: forAll('script_timeout'),
    seconds: 6,
    async strike(lab, random) {
      process.kill(sandboxOf(lab, random), 'SIGSTOP');
      await sleep(1500);
    },
  },
  {
    name: 'spawner-sigkill',
    what: 'the process that starts a runner’s sandboxes is killed (SIGKILL), and they with it',
    allowed: forAll('runner_lost'),
    seconds: 6,
    async strike(lab, random) {
      const tree = wholeTree(random.pick(lab.runners).child.pid);
      for (const { pid } of tree.filter(({ name }) => name === SPAWNER_NAME)) process.kill(pid, 'SIGKILL');
      await sleep(random.between(0, 300));
    },
  },
  {
    name: 'runner-sigkill',
    what: 'a runner is killed (SIGKILL), another one comes 0.5–2 s later',
    allowed: RUNNER_LOST,
    seconds: 10,
    async strike(lab, random) {
      const runner = random.pick(lab.runners);
      await end(runner, 'SIGKILL');
      await sleep(random.between(500, 2000));
      await lab.restart(runner);
    },
  },
  {
    name: 'runners-sigkill',
    what: 'both runners are killed at once and started again',
    allowed: NO_RUNNER,
    seconds: 10,
    async strike(lab) {
      await Promise.all(lab.runners.map((runner) => end(runner, 'SIGKILL')));
      await Promise.all(lab.runners.map((runner) => lab.restart(runner)));
    },
  },
  {
    name: 'runner-frozen',
    what: 'a runner is frozen for 5–6 s (SIGSTOP), longer than its locks last, and goes on',
    allowed: RUNNER_LOST,
    seconds: 12,
    async strike(lab, random) {
      const runner = random.pick(lab.runners);
      runner.child.signal('SIGSTOP');
      await sleep(random.between(5000, 6000));
      runner.child.signal('SIGCONT');
    },
  },
  {
    name: 'runner-sigterm',
    what: 'a runner is told to end (SIGTERM), and started again',
    allowed: {},
    seconds: 6,
    async strike(lab, random) {
      const runner = random.pick(lab.runners);
      await end(runner, 'SIGTERM');
      await lab.restart(runner);
    },
  },
  {
    name: 'runners-sigterm',
    what: 'both runners are told to end at once, and started again',
    allowed: forAll('deadline_exceeded'),
    seconds: 7,
    async strike(lab) {
      await Promise.all(lab.runners.map((runner) => end(runner, 'SIGTERM')));
      await Promise.all(lab.runners.map((runner) => lab.restart(runner)));
    },
  },
];

async function end(part: Part, signal: NodeJS.Signals): Promise<void> {
  part.child.signal(signal);
  await part.child.exit;
}

function sandboxOf(lab: Lab, random: Random): number {
  const runner = random.pick(lab.runners);
  return random.pick(processTree(runner.child.pid).slice(1)).pid;
}
