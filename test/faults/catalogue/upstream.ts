import { setTimeout as sleep } from 'node:timers/promises';
import { HANG, NONE, SLOW_DOWN, type Fault as HttpFault } from '../../helpers/faulty-proxy.ts';
import { forAll, type Fault } from '../fault.ts';

const STORAGE = forAll('storage_unavailable');
const BLUEPRINT = forAll('blueprint_unavailable');

/** Script storage and blueprint server. */
export const UPSTREAM: readonly Fault[] = [
  {
    name: 'storage-away',
    what: 'the script storage refuses connections for 1 s',
    allowed: {},
    seconds: 6,
    async strike({ storage }) {
      await storage.refuse();
      await sleep(1000);
      await storage.accept();
    },
  },
  spoiltStorage('storage-refuses', 'the script storage answers 503 for 2 s', SLOW_DOWN),
  spoiltStorage('storage-hangs', 'the script storage does not answer for 2 s', HANG),
  {
    name: 'storage-truncates',
    what: 'the script storage breaks off in the middle of every answer for 2 s, while a runner starts anew',
    allowed: STORAGE,
    seconds: 8,
    async strike(lab, random) {
      lab.storage.always({ kind: 'cut' });
      const runner = random.pick(lab.runners);
      runner.child.signal('SIGTERM');
      await runner.child.exit;
      await lab.restart(runner);
      await sleep(2000);
      lab.storage.always(NONE);
    },
  },
  {
    name: 'blueprint-dies',
    what: 'the blueprint server is gone for 0.5–2 s',
    allowed: BLUEPRINT,
    seconds: 6,
    asksAgain: true,
    async strike({ blueprints }, random) {
      await blueprints.die();
      await sleep(random.between(500, 2000));
      await blueprints.comeBack();
    },
  },
  {
    name: 'blueprint-hangs',
    what: 'the blueprint server does not answer for 1–3 s, then breaks off',
    allowed: BLUEPRINT,
    seconds: 8,
    asksAgain: true,
    async strike({ blueprints }, random) {
      blueprints.hang();
      await sleep(random.between(1000, 3000));
      blueprints.resume();
    },
  },
];

function spoiltStorage(name: string, what: string, how: HttpFault): Fault {
  return {
    name,
    what,
    allowed: {},
    seconds: 7,
    async strike({ storage }) {
      storage.always(how);
      await sleep(2000);
      storage.always(NONE);
    },
  };
}
